package org.panallama.tools.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FloatView;
import org.panallama.Model;
import org.panallama.TensorType;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.imatrix.ImatrixCollector;
import org.panallama.tools.imatrix.TensorActivations;

/** That the numbers collected are the right ones for the right columns: a quantized model is nearer to the original by them. */
class ImportanceGainTest {

    private static final int CHUNK = 256;
    private static final String TEXT = ("[INST] 法国的英文名是什么？ [/INST] France</s> 《静夜思》\n作者：李白\n床前明月光，疑是地上霜。"
                    + "举头望明月，低头思故乡。 The quick brown fox jumps over the lazy dog. 北京是中国的首都，上海是最大的城市。 ")
            .repeat(10);

    @TempDir
    private Path folder;

    @Test
    void divergesLessThanWithEqualWeights() {
        Imatrix collected;
        double[][] expected;
        try (Model model = Model.load(TinyModel.path())) {
            collected = ImatrixCollector.builder(model)
                    .chunkSize(CHUNK)
                    .maxChunks(2)
                    .threads(1)
                    .build()
                    .collect(TEXT, Progress.NONE);
            expected = predictions(model);
        }
        double flat = divergence(expected, quantized(flat(collected)));
        double important = divergence(expected, quantized(collected));
        assertThat(important).isPositive().isLessThan(0.9 * flat);
    }

    private static Imatrix flat(Imatrix matrix) {
        Map<String, TensorActivations> tensors = new HashMap<>();
        matrix.tensors().forEach((name, activations) -> {
            float[] ones = new float[activations.squares().length];
            Arrays.fill(ones, 1);
            long[] counts = new long[activations.counts().length];
            Arrays.fill(counts, 1);
            tensors.put(name, new TensorActivations(ones, counts));
        });
        return new Imatrix(tensors, matrix.datasets(), 1, CHUNK, null);
    }

    /** The experts at about 3 bits, the rest at 4, which takes a second. */
    private Path quantized(Imatrix matrix) {
        Path file = folder.resolve("tiny.gguf");
        QuantizeOptions options = QuantizeOptions.builder(FileType.Q4_0)
                .imatrix(matrix, "i")
                .threads(2)
                .tensorType("_exps", TensorType.Q2_K)
                .build();
        new Quantizer(options).quantize(TinyModel.path(), file, Progress.NONE);
        return file;
    }

    private static double divergence(double[][] expected, Path file) {
        try (Model model = Model.load(file)) {
            double[][] actual = predictions(model);
            double sum = 0;
            for (int i = 0; i < expected.length; i++) {
                for (int token = 0; token < expected[i].length; token++) {
                    sum += Math.exp(expected[i][token]) * (expected[i][token] - actual[i][token]);
                }
            }
            return sum / expected.length;
        }
    }

    /** Logarithms of the probabilities after each token of a chunk. */
    private static double[][] predictions(Model model) {
        int[] tokens = model.vocab().tokenize(TEXT);
        double[][] predictions = new double[CHUNK][];
        try (Context context = model.newContext(
                        ContextOptions.builder().length(CHUNK).threads(1).build());
                Batch batch = Batch.tokens(CHUNK)) {
            for (int i = 0; i < CHUNK; i++) {
                batch.add(tokens[i], i, 0, true);
            }
            context.decode(batch);
            for (int i = 0; i < CHUNK; i++) {
                FloatView logits = context.logits(i);
                double norm = logits.logSumExp();
                float[] values = logits.toArray();
                predictions[i] = new double[values.length];
                for (int token = 0; token < values.length; token++) {
                    predictions[i][token] = values[token] - norm;
                }
            }
        }
        return predictions;
    }
}
