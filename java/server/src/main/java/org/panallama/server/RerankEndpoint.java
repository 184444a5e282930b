package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.panallama.LlamaException;
import org.panallama.RankedDocument;
import org.panallama.Reranker;
import org.panallama.Vocab;

/** {@code POST /v1/rerank}, as Jina and Cohere have it. */
final class RerankEndpoint implements Endpoint {

    private static final int MAX_DOCUMENTS = 10_000;

    private final Service service;

    RerankEndpoint(Service service) {
        this.service = service;
    }

    @Override
    public void handle(Exchange exchange) {
        Fields fields = exchange.json();
        String query = fields.text("query");
        fields.require("documents");
        List<String> documents = new ArrayList<>();
        for (JsonElement document : fields.list("documents", MAX_DOCUMENTS)) {
            String place = fields.path("documents") + "[" + documents.size() + "]";
            documents.add(
                    document.isJsonObject() ? Fields.of(document, place).text("text") : Fields.text(document, place));
        }
        if (documents.isEmpty()) {
            throw ApiException.badField(fields.path("documents"), "'documents' is empty");
        }
        int most = fields.integer("top_n", documents.size(), 1, Integer.MAX_VALUE);
        boolean withTexts = fields.flag("return_documents", false);
        try (ModelStore.Lease lease = service.model(fields)) {
            Reranker reranker;
            try {
                reranker = lease.model.reranker();
            } catch (LlamaException e) {
                throw ApiException.badField("model", String.valueOf(e.getMessage()));
            }
            List<RankedDocument> ranked = fields.check("documents", () -> reranker.rank(query, documents));
            JsonArray results = new JsonArray();
            for (RankedDocument document : ranked.subList(0, Math.min(most, ranked.size()))) {
                JsonObject result = Json.object("index", document.index(), "relevance_score", document.score());
                if (withTexts) {
                    result.add("document", Json.object("text", document.text()));
                }
                results.add(result);
            }
            Vocab vocab = lease.model.vocab();
            int queryTokens = vocab.tokenize(query, false, false).length;
            int tokens = documents.stream()
                    .mapToInt(text -> queryTokens + vocab.tokenize(text, false, false).length)
                    .sum();
            exchange.send(Json.object(
                    "object",
                    "list",
                    "model",
                    lease.model.name,
                    "results",
                    results,
                    "usage",
                    Json.object("prompt_tokens", tokens, "total_tokens", tokens)));
        }
    }
}
