package org.panallama.tools.convert;

import java.nio.file.Path;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FlashAttention;
import org.panallama.Model;
import org.panallama.TensorType;

/** What llama.cpp computes of a file. */
final class ModelRun {

    private ModelRun() {}

    /** The logits after each token, with nothing rounded that need not be. */
    static float[][] logits(Path file, int... tokens) {
        try (Model model = Model.load(file);
                Context context = model.newContext(ContextOptions.builder()
                        .length(64)
                        .threads(1)
                        .batchThreads(1)
                        .flashAttention(FlashAttention.OFF)
                        .kvTypes(TensorType.F32, TensorType.F32)
                        .build());
                Batch batch = Batch.tokens(tokens.length)) {
            for (int i = 0; i < tokens.length; i++) {
                batch.add(tokens[i], i, 0, true);
            }
            context.decode(batch);
            float[][] logits = new float[tokens.length][];
            for (int i = 0; i < tokens.length; i++) {
                logits[i] = context.logits(i).toArray();
            }
            return logits;
        }
    }
}
