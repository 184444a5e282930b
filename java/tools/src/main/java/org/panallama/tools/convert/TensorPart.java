package org.panallama.tools.convert;

import org.panallama.tools.safetensors.SafetensorsTensor;

/**
 * Rows of a checkpoint's tensor, in the order in which they are written.
 *
 * @param tensor which tensor
 * @param firstRow of it
 * @param rows how many
 * @param columns elements of a row
 * @param heads if not 0, the rows of each of so many heads are interleaved for llama.cpp's rotary embedding: 0, n/2, 1,
 *     n/2 + 1, …
 */
record TensorPart(SafetensorsTensor tensor, long firstRow, long rows, int columns, int heads) {

    /** Where a written row comes from. */
    long sourceRow(long row) {
        return firstRow + TensorPlace.sourceRow(row, rows, heads);
    }

    /** How many rows from one on follow each other in the checkpoint too. */
    long run(long row, long wanted) {
        return heads == 0 ? wanted : 1;
    }
}
