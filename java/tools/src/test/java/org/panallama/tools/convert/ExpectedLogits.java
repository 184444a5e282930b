package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What another implementation computed in float32, in a fixture's {@code expected-logits.json}. */
public final class ExpectedLogits {

    /** As far apart as sums in another order are. */
    public static final float EXACT = 2e-3f;

    private ExpectedLogits() {}

    /**
     * A model gives the logits of a fixture.
     *
     * @param adapters of the model, at some strength
     * @param best whether the likeliest tokens must be the same too
     */
    public static void assertLogits(Path fixture, Path model, Map<Path, Float> adapters, float tolerance, boolean best)
            throws IOException {
        JsonObject expected = JsonParser.parseString(Files.readString(fixture.resolve("expected-logits.json")))
                .getAsJsonObject();
        float[][] logits = ModelRun.logits(model, adapters, ints(expected.getAsJsonArray("ids")));
        int[] columns = ints(expected.getAsJsonArray("columns"));
        int[] argmax = ints(expected.getAsJsonArray("argmax"));
        for (int row = 0; row < logits.length; row++) {
            JsonArray wanted = expected.getAsJsonArray("logits").get(row).getAsJsonArray();
            for (int i = 0; i < columns.length; i++) {
                assertThat(logits[row][columns[i]])
                        .as("token %d, column %d", row, columns[i])
                        .isCloseTo(wanted.get(i).getAsFloat(), within(tolerance));
            }
            if (best) {
                assertThat(largest(logits[row])).isEqualTo(argmax[row]);
            }
        }
    }

    private static int[] ints(JsonArray array) {
        return array.asList().stream().mapToInt(element -> element.getAsInt()).toArray();
    }

    private static int largest(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
