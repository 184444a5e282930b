package org.panallama;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.LogRouter;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.Binding;

/**
 * A LoRA adapter: a low-rank change to a model's weights (Hu et al. 2021, arXiv 2106.09685), in GGUF format.
 *
 * <p>Set it on a context with {@link Context#setLora}. Thread-safe; several contexts may use it. A context that has it set keeps the
 * native weights alive after {@link #close()}, until it sets others or is closed.
 */
public final class LoraAdapter implements AutoCloseable {

    private final Model model;
    private final Handle handle;
    private final Path file;
    private final Map<String, String> metadata;
    private final int[] invocationTokens;
    private final Weights weights;
    private @Nullable LoraAdapter onCpu; // guarded by this

    private LoraAdapter(Model model, Binding binding, Handle parent, Path file, long address) {
        this.model = model;
        this.file = file;
        Map<String, String> entries = new LinkedHashMap<>();
        for (int i = 0; i < binding.loraMetadataCount(address); i++) {
            entries.put(binding.loraMetadataKey(address, i), binding.loraMetadataValue(address, i));
        }
        this.metadata = Collections.unmodifiableMap(entries);
        this.invocationTokens = binding.loraInvocationTokens(address);
        Weights shared = new Weights(binding, address);
        this.weights = shared;
        this.handle = new Handle(this, "adapter " + file.getFileName(), address, false, parent, a -> shared.release());
    }

    static LoraAdapter load(Model model, Binding binding, Handle parent, Path file) {
        Deque<String> log = LogRouter.newKeeper();
        long modelAddress = parent.enter();
        try {
            long address =
                    NativeRuntime.get().log().keeping(log, () -> binding.loraLoad(modelAddress, file.toString()));
            if (address == 0) {
                throw new ModelLoadException(
                        file, "llama.cpp cannot load this adapter for " + model + "." + LogRouter.explain(log));
            }
            return new LoraAdapter(model, binding, parent, file, address);
        } finally {
            parent.exit();
        }
    }

    /** The model that the adapter was loaded for. */
    public Model model() {
        return model;
    }

    /** The adapter's file. */
    public Path file() {
        return file;
    }

    /** The scalar entries of the file's metadata. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The tokens that switch an activated LoRA on; empty for a plain one. */
    public int[] invocationTokens() {
        return invocationTokens.clone();
    }

    /** Ends the use of the adapter by further calls. */
    @Override
    public void close() {
        handle.close();
        synchronized (this) {
            if (onCpu != null) {
                onCpu.close();
            }
        }
    }

    @Override
    public String toString() {
        return handle.toString();
    }

    Handle handle() {
        return handle;
    }

    /**
     * The adapter for a context.
     *
     * @param loaded what it computes on: the model, or the one that {@link Model#newContext} loads once more
     */
    synchronized LoraAdapter on(Model loaded) {
        if (loaded == model) {
            return this;
        }
        handle.enter(); // throws once this is closed
        handle.exit();
        if (onCpu == null) {
            onCpu = loaded.loadLora(file);
        }
        return onCpu;
    }

    Weights weights() {
        return weights;
    }

    /** The native adapter, owned by the Java object and by every context that has it set. */
    static final class Weights {

        private final Binding binding;
        private final long address;
        private int owners = 1;

        private Weights(Binding binding, long address) {
            this.binding = binding;
            this.address = address;
        }

        synchronized void retain() {
            owners++;
        }

        synchronized void release() {
            if (--owners == 0) {
                binding.loraFree(address);
            }
        }
    }
}
