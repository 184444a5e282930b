package org.panallama.tools.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufModel;
import org.panallama.gguf.GgufSplitter;
import org.panallama.gguf.GgufTensor;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.ModelShape;
import org.panallama.tools.Progress;
import org.panallama.tools.Synth;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.imatrix.TensorActivations;
import org.panallama.tools.imatrix.UnseenExperts;

class QuantizerTest {

    /** Rows of 256 numbers, so that every format fits, and as small as that allows. */
    private static final ModelShape SHAPE =
            new ModelShape("two-layers", "llama", 2, 256, 256, 4, 2, 64, 8, 2, 6000, 512, 1e6f, 1e-5f);

    /** One layer of it, for what is done to every type. */
    private static final ModelShape ONE_LAYER =
            new ModelShape("one-layer", "llama", 1, 256, 256, 4, 2, 64, 8, 2, 6000, 512, 1e6f, 1e-5f);

    /** Rows of 96 numbers in the experts' second matrix, into which super-blocks do not fit. */
    private static final ModelShape NARROW =
            new ModelShape("narrow", "llama", 1, 256, 96, 4, 2, 64, 8, 2, 6000, 512, 1e6f, 1e-5f);

    @TempDir
    static Path shared;

    private static Path model;
    private static Path oneLayer;
    private static Imatrix imatrix;

    @TempDir
    private Path folder;

    @BeforeAll
    static void synthesize() throws IOException {
        model = synth(SHAPE, "model.gguf");
        oneLayer = synth(ONE_LAYER, "one-layer.gguf");
        imatrix = importanceOf(model);
    }

    private static Path synth(ModelShape shape, String name) {
        Path file = shared.resolve(name);
        Synth.builder()
                .shape(shape)
                .type(TensorType.F16)
                .tokenizer(TinyModel.path())
                .build()
                .write(file, done -> {});
        return file;
    }

    /** Made up: the columns differ, and one expert was never reached. */
    private static Imatrix importanceOf(Path file) throws IOException {
        Map<String, TensorActivations> tensors = new HashMap<>();
        for (GgufTensor tensor : GgufFile.open(file).tensors()) {
            if (tensor.name().startsWith("blk.") && tensor.shape().size() > 1) {
                long[] counts = new long[(int) tensor.dimension(2)];
                Arrays.fill(counts, 3);
                if (counts.length > 1) {
                    counts[1] = 0;
                }
                float[] squares = new float[(int) tensor.dimension(0) * counts.length];
                for (int i = 0; i < squares.length; i++) {
                    squares[i] = counts[i / (squares.length / counts.length)] * (1 + i % 5);
                }
                tensors.put(tensor.name(), new TensorActivations(squares, counts));
            }
        }
        return new Imatrix(tensors, List.of("文.txt"), 3, 64, null);
    }

    @AfterEach
    void nothingIsLeftBehind() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.endsWith(".tmp"));
        }
    }

    private static QuantizeOptions.Builder options(FileType type) {
        return QuantizeOptions.builder(type).threads(2);
    }

    private Path output() {
        return folder.resolve("out.gguf");
    }

    private Map<String, TensorType> quantize(QuantizeOptions options) throws IOException {
        new Quantizer(options).quantize(model, output(), Progress.NONE);
        return types(output());
    }

    private static Map<String, TensorType> types(Path file) throws IOException {
        Map<String, TensorType> types = new HashMap<>();
        GgufFile.open(file).tensors().forEach(tensor -> types.put(tensor.name(), TensorType.of(tensor.type())));
        return types;
    }

    @ParameterizedTest
    @EnumSource
    void everyFileTypeIsWhatItsPlanSaysAndGenerates(FileType type) throws IOException {
        Quantizer quantizer =
                new Quantizer(options(type).imatrix(imatrix, "i.gguf").build());
        QuantizationPlan plan = quantizer.plan(oneLayer);
        quantizer.quantize(oneLayer, output(), Progress.NONE);
        GgufFile file = GgufFile.open(output());
        Map<String, TensorType> planned = new HashMap<>();
        plan.tensors().forEach(tensor -> planned.put(tensor.name(), tensor.to()));
        assertThat(types(output())).isEqualTo(planned);
        assertThat(plan.bytesAfter())
                .isEqualTo(file.tensors().stream().mapToLong(GgufTensor::bytes).sum());
        assertThat(plan.bytesAfter()).isLessThanOrEqualTo(file.size());
        assertThat(plan.bitsPerWeightBefore()).isBetween(16.0, 16.1);
        TensorType router = TensorType.of(GgufFile.open(oneLayer)
                .tensor("blk.0.ffn_gate_inp.weight")
                .orElseThrow()
                .type());
        assertThat(planned)
                .containsEntry("blk.0.ffn_gate_inp.weight", router)
                .containsEntry("blk.0.attn_norm.weight", TensorType.F32);
        if (type.mainType().isQuantized()) {
            assertThat(planned).containsEntry("blk.0.ffn_up_exps.weight", type.mainType());
            assertThat(plan.fallbacks()).isEmpty();
        }
        try (Model loaded = Model.load(output());
                Context context = loaded.newContext(
                        ContextOptions.builder().length(64).threads(1).build())) {
            context.decode(1, 261, 262, 2425);
            assertThat(context.logits(-1).toArray()).doesNotContain(Float.NaN);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "Q2_K_S"})
    void lowBitsWithoutAnImportanceMatrixAreRefused(FileType type) {
        Quantizer quantizer = new Quantizer(options(type).build());
        assertThatThrownBy(() -> quantizer.quantize(model, output(), Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("to " + type)
                .hasMessageContaining("make an importance matrix");
        assertThat(output()).doesNotExist();
    }

    @ParameterizedTest
    @EnumSource(names = {"IQ1_S", "IQ2_XXS", "IQ2_XS"})
    void lowBitsOfWhatNoImportanceMatrixCoversAreRefused(TensorType type) {
        for (QuantizeOptions options : List.of(
                options(FileType.Q8_0).outputType(type).imatrix(imatrix, "i").build(),
                options(FileType.Q8_0).embeddingType(type).imatrix(imatrix, "i").build(),
                options(FileType.Q8_0).tensorType("attn_q", type).build())) {
            assertThatThrownBy(() -> new Quantizer(options).plan(model))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining("would become " + type);
        }
    }

    @Test
    void overridesTakeEffect() throws IOException {
        Map<String, TensorType> types = quantize(options(FileType.Q4_K_M)
                .outputType(TensorType.Q8_0)
                .embeddingType(TensorType.Q5_0)
                .tensorType("blk\\.1\\.ffn_down", TensorType.Q6_K)
                .tensorType("ffn_(up|down)", TensorType.IQ4_NL)
                .build());
        assertThat(types)
                .containsEntry("output.weight", TensorType.Q8_0)
                .containsEntry("token_embd.weight", TensorType.Q5_0)
                .containsEntry("blk.1.ffn_down_exps.weight", TensorType.Q6_K)
                .containsEntry("blk.0.ffn_down_exps.weight", TensorType.IQ4_NL)
                .containsEntry("blk.0.ffn_up_exps.weight", TensorType.IQ4_NL)
                .containsEntry("blk.0.ffn_gate_exps.weight", TensorType.Q4_K);
    }

    @Test
    void pureLeavesNoMixture() throws IOException {
        assertThat(quantize(options(FileType.Q4_K_M).pure(true).build()))
                .containsEntry("output.weight", TensorType.Q4_K)
                .containsEntry("blk.0.attn_v.weight", TensorType.Q4_K);
        assertThat(quantize(options(FileType.Q4_K_M).leaveOutput(true).build()))
                .containsEntry("output.weight", TensorType.F16)
                .containsEntry("blk.0.attn_v.weight", TensorType.Q8_0);
    }

    @Test
    void metadataIsSetAndTheImportanceMatrixNoted() throws IOException {
        quantize(options(FileType.Q4_0)
                .imatrix(imatrix, "重要".repeat(50))
                .metadata("general.name", "另一个")
                .metadata("llama.expert_used_count", 3)
                .metadata("panallama.half", 0.5)
                .metadata("panallama.yes", true)
                .build());
        GgufFile file = GgufFile.open(output());
        assertThat(file.string("general.name")).contains("另一个");
        assertThat(file.integer("llama.expert_used_count")).hasValue(3);
        assertThat(file.number("panallama.half")).hasValue(0.5);
        assertThat(file.bool("panallama.yes")).contains(true);
        assertThat(file.integer("general.file_type")).hasValue(2);
        assertThat(file.string("quantize.imatrix.file").orElseThrow()).isEqualTo("重要".repeat(21));
        assertThat(file.string("quantize.imatrix.dataset")).contains("文.txt");
        assertThat(file.integer("quantize.imatrix.entries_count")).hasValue(16);
        assertThat(file.integer("quantize.imatrix.chunks_count")).hasValue(3);
    }

    @Test
    void layersAreLeftOutAndKeepTheirImportance() throws IOException {
        Map<String, TensorType> types = quantize(
                options(FileType.IQ2_XXS).imatrix(imatrix, "i").pruneLayers(0).build());
        assertThat(types).containsKey("blk.0.attn_q.weight").doesNotContainKey("blk.1.attn_q.weight");
        assertThat(GgufFile.open(output()).integer("llama.block_count")).hasValue(1);
        assertThatThrownBy(() -> quantize(options(FileType.Q8_0).pruneLayers(2).build()))
                .hasMessageContaining("layer 2 cannot be left out: there are 0 to 1");
        assertThatThrownBy(
                        () -> quantize(options(FileType.Q8_0).pruneLayers(0, 1).build()))
                .hasMessageContaining("all of its layers");
    }

    @Test
    void rowsThatAreNoWholeBlocksFallBack() throws IOException {
        Path narrow = synth(NARROW, "narrow.gguf");
        QuantizationPlan plan =
                new Quantizer(options(FileType.Q4_K_S).build()).quantize(narrow, output(), Progress.NONE);
        assertThat(plan.fallbacks()).singleElement().satisfies(tensor -> {
            assertThat(tensor.name()).isEqualTo("blk.0.ffn_down_exps.weight");
            assertThat(tensor.wanted()).isEqualTo(TensorType.Q4_K);
            assertThat(tensor.to()).isEqualTo(TensorType.Q5_0);
        });
        assertThat(types(output())).containsEntry("blk.0.ffn_down_exps.weight", TensorType.Q5_0);
    }

    @Test
    void quantizedTensorsAreQuantizedAgainOnlyOnDemand() throws IOException {
        quantize(options(FileType.Q8_0).build());
        Path again = folder.resolve("again.gguf");
        assertThatThrownBy(
                        () -> new Quantizer(options(FileType.Q4_K_M).build()).quantize(output(), again, Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("is quantized already, to Q8_0");
        new Quantizer(options(FileType.Q4_K_M).allowRequantize(true).build()).quantize(output(), again, Progress.NONE);
        assertThat(types(again)).containsEntry("blk.0.ffn_up_exps.weight", TensorType.Q4_K);
    }

    @Test
    void malformedPatternsAreNamed() {
        QuantizeOptions options = options(FileType.Q4_0)
                .tensorType("attn", TensorType.Q8_0)
                .tensorType("ffn_(up", TensorType.Q8_0)
                .build();
        assertThatThrownBy(() -> new Quantizer(options).quantize(model, output(), Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("the pattern 'ffn_(up' for Q8_0 is malformed: Unclosed group");
        assertThat(output()).doesNotExist();
    }

    @Test
    void foreignImportanceMatricesAreRefused() throws IOException {
        Imatrix foreign = importanceOf(synth(NARROW, "narrow.gguf"));
        assertThatThrownBy(() ->
                        quantize(options(FileType.Q4_K_M).imatrix(foreign, "i").build()))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("it was made for another model");
        Imatrix lacking = new Imatrix(
                Map.of("blk.0.attn_q.weight", imatrix.tensors().get("blk.0.attn_q.weight")), List.of(), 1, 64, null);
        assertThatThrownBy(() ->
                        quantize(options(FileType.IQ2_XXS).imatrix(lacking, "i").build()))
                .hasMessageContaining("the importance matrix has nothing for it");
        assertThatThrownBy(() -> new Quantizer(options(FileType.IQ2_XXS)
                        .imatrix(imatrix, "i")
                        .unseenExperts(UnseenExperts.REFUSE)
                        .build()))
                .hasMessageContaining("never reached the experts [1]");
    }

    @Test
    void aCancelledRunLeavesTheOldFile() throws IOException {
        Files.writeString(output(), "old");
        List<Double> seen = new ArrayList<>();
        assertThatThrownBy(() -> new Quantizer(options(FileType.Q4_0).build()).quantize(model, output(), fraction -> {
                    seen.add(fraction);
                    return fraction < 0.5;
                }))
                .isInstanceOf(CancellationException.class);
        assertThat(output()).hasContent("old");
        assertThat(seen).isSorted().hasSizeGreaterThan(3).allMatch(fraction -> fraction <= 1);
        assertThatThrownBy(() -> new Quantizer(options(FileType.Q4_0).build()).quantize(model, output(), fraction -> {
                    throw new IllegalStateException("on purpose");
                }))
                .hasMessage("on purpose");
        assertThat(output()).hasContent("old");
    }

    @Test
    void badInputIsRefused() throws IOException {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FileType.of("Q4_L"))
                .withMessageContaining("Q4_K_M, Q4_K_S");
        assertThat(FileType.of("q4_k")).isEqualTo(FileType.Q4_K_M);
        assertThat(FileType.of("mxfp4-moe")).isEqualTo(FileType.MXFP4_MOE);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options(FileType.Q8_0).outputType(TensorType.Q8_K))
                .withMessageContaining("no format for weights");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options(FileType.F16).tensorType("attn", TensorType.Q8_0))
                .withMessageContaining("only in quantized files");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options(FileType.Q8_0).metadata("split.count", 3));
        assertThatThrownBy(() -> quantize(options(FileType.Q8_0)
                        .tensorType("attn(", TensorType.Q4_0)
                        .build()))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("the pattern 'attn(' for Q4_0 is malformed");
        Path narrow = synth(NARROW, "narrow.gguf");
        Quantizer quantizer = new Quantizer(options(FileType.Q8_0).build());
        assertThatThrownBy(() -> quantizer.quantize(narrow, narrow, Progress.NONE))
                .hasMessageContaining("it is one of the files that are read for it");
        assertThatThrownBy(() -> quantizer.quantize(model, folder.resolve("none/out.gguf"), Progress.NONE))
                .hasMessageContaining("does not exist");
        Path damaged = Files.write(folder.resolve("damaged.gguf"), new byte[100]);
        assertThatThrownBy(() -> quantizer.plan(damaged)).isInstanceOf(ModelLoadException.class);
    }

    @Test
    void aModelInPartsStaysSoOnDemand() throws IOException {
        GgufModel source = GgufModel.open(model);
        int half = (source.tensors().size() + 1) / 2;
        Path whole = GgufSplitter.byTensors(source, half)
                .write(folder.resolve("parts"), fraction -> true)
                .get(0);
        Path target = folder.resolve("small.gguf");
        new Quantizer(options(FileType.Q8_0).keepSplit(true).build()).quantize(whole, target, Progress.NONE);
        assertThatThrownBy(() -> new Quantizer(
                                options(FileType.Q8_0).keepSplit(true).build())
                        .quantize(whole, folder.resolve("parts.gguf"), Progress.NONE))
                .hasMessageContaining(whole + ": it is one of the files that are read for it");
        assertThat(target).doesNotExist();
        assertThat(folder.resolve("small-00002-of-00002.gguf")).exists();
        try (Model loaded = Model.load(folder.resolve("small-00001-of-00002.gguf"))) {
            assertThat(loaded.layerCount()).isEqualTo(2);
        }
        new Quantizer(options(FileType.Q8_0).build()).quantize(whole, target, Progress.NONE);
        assertThat(types(target)).hasSameSizeAs(types(model));
    }
}
