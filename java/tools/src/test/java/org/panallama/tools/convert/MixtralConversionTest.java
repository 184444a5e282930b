package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValidator;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.QuantizeParams;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;

/** A random Mixtral in two shards, whose logits another implementation computed in float32. */
class MixtralConversionTest {

    private static final Path CHECKPOINT = Path.of("src/test/resources/mixtral-random");

    @TempDir
    Path folder;

    @Test
    void logitsEqualThoseOfAnotherImplementation() throws IOException {
        ExpectedLogits.assertLogits(CHECKPOINT, convert(ConversionType.F32), Map.of(), ExpectedLogits.EXACT, true);
    }

    @ParameterizedTest
    @EnumSource(ConversionType.class)
    void everyTypeIsAValidFileThatComputesAlmostTheSame(ConversionType type) throws IOException {
        Path file = convert(type);
        assertThat(GgufValidator.check(file)).isEmpty();
        float[] logits = ModelRun.logits(file, 1, 17, 902)[2];
        float[] exact = ModelRun.logits(convert(ConversionType.F32), 1, 17, 902)[2];
        for (int i = 0; i < logits.length; i++) {
            assertThat(logits[i]).isCloseTo(exact[i], within(type == ConversionType.Q8_0 ? 0.3f : 0.05f));
        }
    }

    /** The embedded model's file came from llama.cpp's own converter. */
    @Test
    void metadataHasTheKeysAndTypesOfLlamaCppsConverter() throws IOException {
        GgufFile converted = GgufFile.open(convert(ConversionType.F16));
        GgufFile reference = GgufFile.open(TinyModel.path());
        reference.metadata().forEach((key, value) -> {
            assertThat(converted.metadata()).containsKey(key);
            assertThat(converted.metadata().get(key).describe().replaceAll("\\d+ ", ""))
                    .as(key)
                    .isEqualTo(value.describe().replaceAll("\\d+ ", ""));
            if (key.startsWith("tokenizer.")) {
                assertThat(converted.metadata().get(key)).as(key).isEqualTo(value);
            }
        });
        for (GgufTensor tensor : converted.tensors()) {
            GgufTensor other = reference.tensor(tensor.name()).orElseThrow();
            assertThat(tensor.type()).as(tensor.name()).isEqualTo(other.type());
        }
    }

    @Test
    void textsHaveTheTokensOfTheEmbeddedModel() {
        try (Model converted = Model.load(
                        convert(ConversionType.F16),
                        ModelOptions.builder().vocabOnly(true).build());
                Model reference = Model.load(TinyModel.path())) {
            for (String text : new String[] {
                "[INST] 法国的英文名是什么？ [/INST] France", "床前明月光，疑是地上霜。", "naïve café\n\t🦙🦙 x = 3.14;", "", "  two  spaces "
            }) {
                assertThat(converted.vocab().tokenize(text))
                        .as(text)
                        .isEqualTo(reference.vocab().tokenize(text));
            }
        }
    }

    /** Norms, router and what is not quantized stay as they are. */
    @Test
    void q8IsWhatLlamaCppsOwnQuantizerMakes() throws IOException {
        Path quantized = folder.resolve("llama.cpp.gguf");
        QuantizeParams params = new QuantizeParams(7, 1, -1, -1, false, true, false, true);
        int status = NativeRuntime.get()
                .binding()
                .modelQuantize(convert(ConversionType.F32).toString(), quantized.toString(), params);
        assertThat(status).isZero();
        GgufFile theirs = GgufFile.open(quantized);
        GgufFile ours = GgufFile.open(convert(ConversionType.Q8_0));
        for (GgufTensor tensor : theirs.tensors()) {
            GgufTensor same = ours.tensor(tensor.name()).orElseThrow();
            assertThat(same).isEqualTo(tensor);
            assertThat(ours.map(same)).as(tensor.name()).isEqualTo(theirs.map(tensor));
        }
    }

    @Test
    void aCancelledConversionLeavesNothing() throws IOException {
        Converter converter = Converter.open(CHECKPOINT, ConversionOptions.defaults());
        Path file = folder.resolve("cancelled.gguf");
        assertThatThrownBy(() -> converter.write(file, done -> done < 0.3)).isInstanceOf(CancellationException.class);
        assertThatThrownBy(() -> converter.write(CHECKPOINT.resolve("config.json"), Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("config.json: it is one of the files that are read for it");
        assertThatThrownBy(() -> converter.write(folder.resolve("no/such.gguf"), Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("does not exist");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    private Path convert(ConversionType type) {
        Path file = folder.resolve(type + ".gguf");
        ConversionReport report = Converter.open(
                        CHECKPOINT,
                        ConversionOptions.builder().type(type).threads(2).build())
                .write(file, Progress.NONE);
        assertThat(report.warnings()).isEmpty();
        return file;
    }
}
