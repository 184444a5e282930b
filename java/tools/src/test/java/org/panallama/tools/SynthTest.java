package org.panallama.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FloatView;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.TensorType;
import org.panallama.internal.GgufFile;
import org.panallama.internal.GgufTensor;
import org.panallama.tiny.TinyModel;

class SynthTest {

    private static final ModelShape SMALL_MIXTRAL =
            new ModelShape("small-mixtral", "llama", 2, 256, 512, 4, 2, 64, 8, 2, 6000, 512, 1e6f, 1e-5f);
    private static final ModelShape SMALL_QWEN3 =
            new ModelShape("small-qwen3", "qwen3moe", 2, 256, 256, 4, 2, 128, 16, 4, 6000, 512, 1e6f, 1e-6f);
    private static final ModelShape SMALL_GPT_OSS =
            new ModelShape("small-gpt-oss", "gpt-oss", 2, 256, 256, 8, 2, 64, 8, 4, 6000, 512, 1e5f, 1e-5f);
    private static final ModelShape SMALL_LLAMA =
            new ModelShape("small-llama", "llama", 2, 256, 512, 4, 2, 64, 0, 0, 6000, 512, 1e4f, 1e-5f);

    @TempDir
    private Path folder;

    static Stream<TensorType> types() {
        return Arrays.stream(TensorType.values()).filter(RandomWeights::covers);
    }

    static List<ModelShape> architectures() {
        return List.of(SMALL_MIXTRAL, SMALL_QWEN3, SMALL_GPT_OSS, SMALL_LLAMA);
    }

    @ParameterizedTest
    @MethodSource("types")
    void everyTypeComputesLogitsAsATrainedModelDoes(TensorType type) {
        assertThat(deviationOfLogits(write(SMALL_MIXTRAL, type))).isBetween(0.05, 5.0);
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void everyArchitectureComputes(ModelShape shape) {
        Path file = write(shape, TensorType.Q8_0);
        assertThat(deviationOfLogits(file)).isBetween(0.05, 5.0);
        try (Model model = Model.load(file)) {
            assertThat(model.architecture()).isEqualTo(shape.architecture());
            assertThat(model.vocab().size()).isEqualTo(6000);
            try (Model tiny = Model.load(TinyModel.path())) {
                String text = "法国的英文名 and <extra_5500>";
                assertThat(model.vocab().tokenize(text)).isEqualTo(tiny.vocab().tokenize(text));
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameFile() throws IOException {
        byte[] one = Files.readAllBytes(write(SMALL_QWEN3, TensorType.Q4_K));
        byte[] again = Files.readAllBytes(write(SMALL_QWEN3, TensorType.Q4_K));
        assertThat(Arrays.equals(one, again)).isTrue();
        Path other = folder.resolve("other.gguf");
        options(SMALL_QWEN3, TensorType.Q4_K).seed(43).build().write(other, done -> {});
        assertThat(Arrays.equals(one, Files.readAllBytes(other))).isFalse();
    }

    @Test
    void mixtralHasTheSizeOfMixtral() {
        Synth mixtral =
                options(ModelShape.MIXTRAL_8X7B, TensorType.F16).layers(0).build();
        // 46.7 billion parameters; norms and routers take four bytes each.
        assertThat(mixtral.tensorBytes()).isBetween(2 * 46_702_000_000L, 2 * 46_704_500_000L);
    }

    @Test
    void normsAndRoutersAreSinglePrecision() {
        GgufFile file = GgufFile.read(write(SMALL_MIXTRAL, TensorType.Q4_0));
        for (GgufTensor tensor : file.tensors()) {
            boolean single = tensor.name().contains("norm") || tensor.name().contains("gate_inp");
            assertThat(tensor.type()).as(tensor.name()).isEqualTo(single ? TensorType.F32 : TensorType.Q4_0);
        }
    }

    @Test
    void saysWhatCannotBe() {
        assertThatThrownBy(() -> ModelShape.of("mixtral"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mixtral-8x7b, qwen3-30b-a3b, gpt-oss-20b, llama-3-8b");
        assertThatThrownBy(() -> Synth.builder().layers(-1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> Synth.builder().type(TensorType.Q8_K)).hasMessageContaining("Q8_K");
        assertThatThrownBy(
                        () -> options(ModelShape.GPT_OSS_20B, TensorType.Q4_K).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rows of 2880");
        Synth synth = options(SMALL_LLAMA, TensorType.Q8_0).build();
        assertThatThrownBy(() -> synth.write(folder.resolve("none/f.gguf"), done -> {}))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("does not exist");
    }

    private Path write(ModelShape shape, TensorType type) {
        Path file = folder.resolve("model.gguf");
        options(shape, type).build().write(file, done -> {});
        return file;
    }

    private static Synth.Builder options(ModelShape shape, TensorType type) {
        return Synth.builder().shape(shape).layers(2).type(type).tokenizer(TinyModel.path());
    }

    private static double deviationOfLogits(Path file) {
        ContextOptions options =
                ContextOptions.builder().length(64).threads(1).batchThreads(1).build();
        try (Model model = Model.load(file);
                Context context = model.newContext(options)) {
            context.decode(model.vocab().tokenize("法国的英文名是什么？"));
            FloatView logits = context.logits(-1);
            double sum = 0;
            double squares = 0;
            for (int i = 0; i < logits.size(); i++) {
                sum += logits.get(i);
                squares += (double) logits.get(i) * logits.get(i);
            }
            double mean = sum / logits.size();
            return Math.sqrt(squares / logits.size() - mean * mean);
        }
    }
}
