package org.panallama.server;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.panallama.engine.Result;

/** {@code POST /infill}: the text between two others, by llama-server's names. */
final class InfillEndpoint implements Endpoint {

    private static final int MAX_FILES = 256;

    private final Service service;

    InfillEndpoint(Service service) {
        this.service = service;
    }

    @Override
    public void handle(Exchange exchange) {
        Fields fields = exchange.json();
        String prefix = fields.text("input_prefix");
        String suffix = fields.text("input_suffix");
        // What stands between them already, for example the beginning of the line to complete.
        String begun = fields.text("prompt", "");
        List<InfillPrompt.Extra> extras = new ArrayList<>();
        for (Fields extra : fields.children("input_extra", MAX_FILES)) {
            extras.add(new InfillPrompt.Extra(extra.text("filename", "file"), extra.text("text")));
        }
        boolean stream = fields.flag("stream", false);
        try (ModelStore.Lease lease = service.model(fields)) {
            ServedModel served = lease.model;
            int[] tokens = InfillPrompt.of(served.vocab(), "input_prefix").tokens(prefix + begun, suffix, extras);
            Sampling sampling = new Sampling(
                    fields, served, List.of("n_predict", "max_tokens"), Integer.MAX_VALUE, service.deadline());
            Sampling.Ask ask = sampling.ask(tokens, 0, sampling.ownGrammar(), builder -> builder.stop(sampling.stop));
            try (Answers answers =
                    new Answers(exchange, served, Ids.create("infill-"), List.of(ask), service.metrics())) {
                if (!stream) {
                    Result result = answers.all().get(0);
                    exchange.send(json(served, result, result.text()));
                    return;
                }
                EventStream events = new EventStream(exchange);
                Answers.Arrival arrival;
                while ((arrival = answers.next()) != null) {
                    events.send(
                            arrival.piece() == null
                                    ? json(served, answers.result(0), "")
                                    : Json.object("content", arrival.piece().text(), "stop", false));
                }
                events.done();
            }
        }
    }

    private static JsonObject json(ServedModel served, Result result, String content) {
        return Json.object(
                "content",
                content,
                "stop",
                true,
                "model",
                served.name,
                "stop_type",
                switch (result.finishReason()) {
                    case END_OF_GENERATION -> "eos";
                    case STOP_STRING -> "word";
                    default -> "limit";
                },
                "tokens_evaluated",
                result.usage().promptTokens(),
                "tokens_predicted",
                result.usage().generatedTokens(),
                "timings",
                AnswerJson.timings(result));
    }
}
