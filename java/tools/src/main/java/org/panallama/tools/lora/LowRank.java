package org.panallama.tools.lora;

import java.util.List;

/**
 * A change to a matrix: scale times b times a is added.
 *
 * @param b as many rows as what is changed, as many columns as the rank
 * @param a as many rows as the rank, as many columns as what is changed
 */
record LowRank(Matrix b, Matrix a, float scale) {

    int rank() {
        return b.columns();
    }

    LowRank transposed() {
        return new LowRank(new TransposedMatrix(a), new TransposedMatrix(b), scale);
    }

    /** Rows and columns of what is changed. */
    List<Long> shape() {
        return List.of(b.rows(), (long) a.columns());
    }
}
