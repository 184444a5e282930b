package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.panallama.Embedder;
import org.panallama.Vocab;

/** {@code POST /v1/embeddings}. Lists of tokens are computed as they are. */
final class EmbeddingsEndpoint implements Endpoint {

    private static final int MAX_INPUTS = 2048; // OpenAI's

    private final Service service;

    EmbeddingsEndpoint(Service service) {
        this.service = service;
    }

    @Override
    public void handle(Exchange exchange) {
        Fields fields = exchange.json();
        JsonElement input = fields.require("input");
        boolean base64 = fields.word("encoding_format", "float", List.of("float", "base64"))
                .equals("base64");
        try (ModelStore.Lease lease = service.model(fields)) {
            Vocab vocab = lease.model.vocab();
            List<int[]> sequences = TokenInput.read(input, fields.path("input"), vocab, MAX_INPUTS).stream()
                    .map(entry -> entry.tokens() == null ? vocab.tokenize(entry.text(), true, false) : entry.tokens())
                    .toList();
            Embedder embedder = lease.model.embedder();
            int dimensions = fields.integer("dimensions", embedder.size(), 1, embedder.size());
            List<float[]> vectors = fields.check("input", () -> embedder.embedSequences(sequences));
            JsonArray data = new JsonArray();
            for (float[] vector : vectors) {
                float[] shown = dimensions < vector.length ? shortened(vector, dimensions) : vector;
                data.add(Json.object(
                        "object",
                        "embedding",
                        "index",
                        data.size(),
                        "embedding",
                        base64 ? new JsonPrimitive(base64(shown)) : numbers(shown)));
            }
            int tokens =
                    sequences.stream().mapToInt(sequence -> sequence.length).sum();
            exchange.send(Json.object(
                    "object",
                    "list",
                    "data",
                    data,
                    "model",
                    lease.model.name,
                    "usage",
                    Json.object("prompt_tokens", tokens, "total_tokens", tokens)));
        }
    }

    /** The first numbers, of length 1 again: what models trained that way (arXiv 2205.13147) are cut by. */
    private static float[] shortened(float[] vector, int dimensions) {
        float[] part = Arrays.copyOf(vector, dimensions);
        double sum = 0;
        for (float value : part) {
            sum += (double) value * value;
        }
        double scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
        for (int i = 0; i < part.length; i++) {
            part[i] = (float) (part[i] * scale);
        }
        return part;
    }

    private static JsonArray numbers(float[] vector) {
        JsonArray numbers = new JsonArray(vector.length);
        for (float value : vector) {
            numbers.add(value);
        }
        return numbers;
    }

    private static String base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : vector) {
            bytes.putFloat(value);
        }
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
