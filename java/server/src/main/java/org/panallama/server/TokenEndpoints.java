package org.panallama.server;

import com.google.gson.JsonArray;
import java.util.Arrays;
import org.panallama.ChatPrompt;
import org.panallama.Vocab;

/** What shows how texts become tokens: {@code POST /tokenize}, {@code /detokenize} and {@code /apply-template}. */
final class TokenEndpoints {

    private final Service service;

    TokenEndpoints(Service service) {
        this.service = service;
    }

    void tokenize(Exchange exchange) {
        Fields fields = exchange.json();
        String text = fields.text("content");
        boolean special = fields.flag("add_special", false);
        boolean parse = fields.flag("parse_special", true);
        boolean pieces = fields.flag("with_pieces", false);
        try (ModelStore.Lease lease = service.model(fields)) {
            Vocab vocab = lease.model.vocab();
            JsonArray tokens = new JsonArray();
            for (int token : vocab.tokenize(text, special, parse)) {
                if (pieces) {
                    tokens.add(Json.object("id", token, "piece", vocab.piece(token)));
                } else {
                    tokens.add(token);
                }
            }
            exchange.send(Json.object("tokens", tokens, "count", tokens.size()));
        }
    }

    void detokenize(Exchange exchange) {
        Fields fields = exchange.json();
        fields.require("tokens");
        try (ModelStore.Lease lease = service.model(fields)) {
            Vocab vocab = lease.model.vocab();
            int[] tokens = TokenInput.tokens(fields.list("tokens", 1 << 24), fields.path("tokens"), vocab);
            exchange.send(Json.object("content", vocab.detokenize(tokens, false, true)));
        }
    }

    /** The prompt that a chat completion with the same fields starts from, as text and tokens. */
    void applyTemplate(Exchange exchange) {
        Fields fields = exchange.json();
        try (ModelStore.Lease lease = service.model(fields)) {
            ChatPrompt prompt = ChatGeneration.prompt(lease.model, ChatFields.conversation(fields));
            int[] tokens = prompt.tokens(lease.model.vocab());
            exchange.send(Json.object(
                    "prompt",
                    prompt.text(),
                    "count",
                    tokens.length,
                    "stop",
                    prompt.stop(),
                    "tokens",
                    Json.array(Arrays.stream(tokens).boxed().toList())));
        }
    }
}
