package org.panallama.tools.convert;

import java.util.List;

/**
 * Where a matrix or vector of a checkpoint goes in a GGUF file.
 *
 * @param tensor name of the tensor in the GGUF file
 * @param shape dimensions of what the checkpoint has, the slowest-varying first: rows, then columns
 * @param experts how many matrices the tensor stacks, the slowest-varying dimension; 0 if it is one matrix
 * @param expert which of them this is, from 0; 0 if it is one matrix
 * @param heads if not 0, the rows of each of so many heads are interleaved, see {@link #sourceRow}
 */
public record TensorPlace(String tensor, List<Long> shape, int experts, int expert, int heads) {

    /** Copies the list. */
    public TensorPlace {
        shape = List.copyOf(shape);
    }

    /** Number of rows of the matrix; 1 for a vector. */
    public long rows() {
        return shape.size() == 1 ? 1 : shape.get(0);
    }

    /** Which row of the checkpoint's matrix becomes a row of the GGUF file's. */
    public long sourceRow(long row) {
        return sourceRow(row, rows(), heads);
    }

    /**
     * llama.cpp rotates neighbouring elements of a head where Transformers rotates its two halves, so that the rows of
     * a head stand in the order 0, n/2, 1, n/2 + 1, …
     *
     * @param heads 0 if nothing is reordered
     */
    static long sourceRow(long row, long rows, int heads) {
        if (heads == 0) {
            return row;
        }
        long headRows = rows / heads;
        long inHead = row % headRows;
        return row - inHead + (inHead % 2) * (headRows / 2) + inHead / 2;
    }
}
