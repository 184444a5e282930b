package org.panallama.tools.convert;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FlashAttention;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.TensorType;

/** What llama.cpp computes of a file. */
public final class ModelRun {

    private ModelRun() {}

    /** The logits after each token, with nothing rounded that need not be. */
    public static float[][] logits(Path file, int... tokens) {
        return logits(file, Map.of(), tokens);
    }

    /** The same with adapters at some strength. */
    public static float[][] logits(Path file, Map<Path, Float> adapters, int... tokens) {
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
            Map<LoraAdapter, Float> loaded = new HashMap<>();
            adapters.forEach((adapter, strength) -> loaded.put(model.loadLora(adapter), strength));
            context.setLora(loaded);
            context.decode(batch);
            float[][] logits = new float[tokens.length][];
            for (int i = 0; i < tokens.length; i++) {
                logits[i] = context.logits(i).toArray();
            }
            return logits;
        }
    }
}
