package org.panallama.tools.lora;

import org.jspecify.annotations.Nullable;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsTensor;

/** Finds an adapter's tensors in a checkpoint, which may have been saved from the model within the class. */
final class CheckpointNames {

    private static final String INNER = "model.";

    private CheckpointNames() {}

    static @Nullable SafetensorsTensor find(Safetensors checkpoint, String name) {
        SafetensorsTensor tensor = checkpoint.find(name);
        if (tensor == null) {
            tensor = checkpoint.find(name.startsWith(INNER) ? name.substring(INNER.length()) : INNER + name);
        }
        return tensor;
    }
}
