package org.panallama.tools.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.convert.Converter;
import org.panallama.tools.convert.ModelRun;

/** A random Mixtral, an adapter for it, and what another implementation computed of both in float32. */
final class Fixture {

    static final Path BASE = Path.of("src/test/resources/mixtral-random");
    static final Path ADAPTER = Path.of("src/test/resources/mixtral-random-lora");

    private static final float EXACT = 2e-3f;

    private Fixture() {}

    static Path converted(Path checkpoint, ConversionType type, Path target) {
        Converter.open(checkpoint, ConversionOptions.builder().type(type).build())
                .write(target, Progress.NONE);
        return target;
    }

    static Path convertedAdapter(Path adapter, Path base, Path target) {
        LoraConverter.open(
                        adapter,
                        base,
                        ConversionOptions.builder().type(ConversionType.F32).build())
                .write(target, Progress.NONE);
        return target;
    }

    /** The model gives the logits of base and adapter together. */
    static void assertMerged(Path model, Map<Path, Float> adapters) throws IOException {
        assertLogits(ADAPTER, model, adapters, EXACT, true);
    }

    /** The same where weights are rounded. */
    static void assertMergedRoughly(Path model, Map<Path, Float> adapters, float tolerance) throws IOException {
        assertLogits(ADAPTER, model, adapters, tolerance, false);
    }

    /** The model gives the logits of the base alone. */
    static void assertBase(Path model, Map<Path, Float> adapters) throws IOException {
        assertLogits(BASE, model, adapters, EXACT, true);
    }

    private static void assertLogits(Path fixture, Path model, Map<Path, Float> adapters, float tolerance, boolean best)
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
