package org.panallama;

import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import org.panallama.spi.Binding;

/**
 * Two bytes of native memory that llama.cpp's computing threads watch; see {@code ContextParams.abortFlag}. Any thread may
 * raise it, at any time, also after it was freed.
 */
final class AbortFlag {

    private static final int BYTES = 2;

    private final Binding binding;
    private final long address;
    private final ByteBuffer view;
    private int operations;
    private boolean freed;

    AbortFlag(Binding binding) {
        this.binding = binding;
        this.address = binding.allocate(BYTES);
        this.view = binding.view(address, BYTES);
    }

    long address() {
        return address;
    }

    /** An operation begins. One that begins within another belongs to it. */
    synchronized void begin() {
        if (operations++ == 0) {
            view.put(0, (byte) 0);
        }
    }

    synchronized void end() {
        operations--;
    }

    /** Stops the operation under way, if there is one. */
    synchronized void raise() {
        if (operations > 0 && !freed) {
            view.put(0, (byte) 1);
        }
    }

    /** @throws CancellationException if the operation under way was stopped */
    synchronized void check() {
        if (view.get(0) != 0) {
            throw new CancellationException("The computation was cancelled");
        }
    }

    synchronized void free() {
        freed = true;
        binding.free(address);
    }
}
