package org.panallama.spi;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The arrays of a batch, as direct buffers in native order.
 *
 * @param tokens {@code int[capacity]}, or {@code null} in an embedding batch
 * @param embeddings {@code float[capacity][embedding]}, or {@code null} in a token batch
 * @param positions {@code int[capacity]}
 * @param sequenceCounts {@code int[capacity]}
 * @param sequences {@code int[capacity][maxSequences]}
 * @param outputs {@code byte[capacity]}
 */
public record BatchArrays(
        @Nullable ByteBuffer tokens,
        @Nullable ByteBuffer embeddings,
        ByteBuffer positions,
        ByteBuffer sequenceCounts,
        ByteBuffer sequences,
        ByteBuffer outputs) {}
