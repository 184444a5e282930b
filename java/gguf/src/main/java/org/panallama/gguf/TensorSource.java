package org.panallama.gguf;

import java.io.IOException;

/** Gives the data of a tensor that is being written. */
@FunctionalInterface
public interface TensorSource {

    /**
     * Writes all data of the writer's current tensor, in one piece or several.
     *
     * @param writer stands at the tensor
     * @throws IOException if the data cannot be had or written
     */
    void writeTo(GgufWriter writer) throws IOException;
}
