package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.convert.Converter;
import org.panallama.tools.convert.ExpectedLogits;

/** A random Mixtral, an adapter for it, and what another implementation computed of both in float32. */
final class Fixture {

    static final Path BASE = Path.of("src/test/resources/mixtral-random");
    static final Path ADAPTER = Path.of("src/test/resources/mixtral-random-lora");

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
        ExpectedLogits.assertLogits(ADAPTER, model, adapters, ExpectedLogits.EXACT, true);
    }

    /** The same where weights are rounded. */
    static void assertMergedRoughly(Path model, Map<Path, Float> adapters, float tolerance) throws IOException {
        ExpectedLogits.assertLogits(ADAPTER, model, adapters, tolerance, false);
    }

    /** The model gives the logits of the base alone. */
    static void assertBase(Path model, Map<Path, Float> adapters) throws IOException {
        ExpectedLogits.assertLogits(BASE, model, adapters, ExpectedLogits.EXACT, true);
    }
}
