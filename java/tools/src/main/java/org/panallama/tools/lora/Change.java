package org.panallama.tools.lora;

/** What an adapter does to some rows of a matrix. */
sealed interface Change {

    /** Where it begins in the matrix. */
    long firstRow();

    /** How many rows it covers. */
    long rows();

    /** Adds a matrix of low rank, with a weight. */
    record Addition(long firstRow, LowRank pair, float weight) implements Change {
        @Override
        public long rows() {
            return pair.b().rows();
        }
    }

    /** Puts other numbers in the place of the base's; with a weight other than 1, so far from the base's to them. */
    record Replacement(long firstRow, Matrix saved, float weight) implements Change {
        @Override
        public long rows() {
            return saved.rows();
        }
    }
}
