package org.panallama.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.panallama.internal.AdapterWriter;

/**
 * An adapter puts nodes between those that kernels compute together: with ours and llama.cpp's own it must do the same.
 */
@Tag("native")
class KernelsWithAdapterTest {
    private static final int HIDDEN = 256;
    private static final int TOKENS = 5120;
    private static final int EXPERTS = 8;
    private static final int RANK = 4;

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_K"})
    void predictTheSame(QuantizedModel kind) throws IOException {
        Path model = kind.write(folder);
        String adapted = Evaluation.with(model, adapter());
        Divergence ours = new Divergence();
        Divergence change = new Divergence();
        try (EvaluationProcess stock = start(Map.of("PANALLAMA_KERNELS", "off"), model, adapted);
                EvaluationProcess own = start(Map.of(), model, adapted)) {
            Prediction[] without = new Prediction[Evaluation.PREDICTIONS];
            for (int i = 0; i < without.length; i++) {
                without[i] = stock.next();
                own.next();
            }
            for (Prediction prediction : without) {
                Prediction theirs = stock.next();
                change.add(prediction, theirs);
                ours.add(theirs, own.next());
            }
        }
        assertThat(change.median())
                .as("the adapter changes the predictions: %s", change)
                .isGreaterThan(1e-4);
        assertThat(ours.median()).as("median KL: %s", ours).isLessThan(1e-5);
        assertThat(ours.agreement()).as("agreement: %s", ours).isGreaterThan(0.97);
    }

    private EvaluationProcess start(Map<String, String> kernels, Object... models) throws IOException {
        return new EvaluationProcess(folder, kernels, Evaluation.AS_IT_IS, models[0], models[1]);
    }

    /** Every kind of matrix that a Mixtral has. */
    private Path adapter() {
        Random random = new Random(7);
        AdapterWriter adapter = new AdapterWriter(10).pair("output.weight", HIDDEN, TOKENS, 0, RANK, random);
        for (int layer = 0; layer < 6; layer++) {
            String name = "blk." + layer + ".";
            adapter.pair(name + "attn_q.weight", HIDDEN, HIDDEN, 0, RANK, random)
                    .pair(name + "attn_k.weight", HIDDEN, HIDDEN / 2, 0, RANK, random)
                    .pair(name + "attn_v.weight", HIDDEN, HIDDEN / 2, 0, RANK, random)
                    .pair(name + "attn_output.weight", HIDDEN, HIDDEN, 0, RANK, random)
                    .pair(name + "ffn_gate_inp.weight", HIDDEN, EXPERTS, 0, RANK, random)
                    .pair(name + "ffn_gate_exps.weight", HIDDEN, HIDDEN, EXPERTS, RANK, random)
                    .pair(name + "ffn_up_exps.weight", HIDDEN, HIDDEN, EXPERTS, RANK, random)
                    .pair(name + "ffn_down_exps.weight", HIDDEN, HIDDEN, EXPERTS, RANK, random);
        }
        return adapter.write(folder.resolve("adapter.gguf"));
    }
}
