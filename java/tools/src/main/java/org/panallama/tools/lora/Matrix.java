package org.panallama.tools.lora;

/** Numbers in rows, which are read or computed when they are needed. For any number of threads. */
interface Matrix {

    /** Most columns: of each matrix that is computed, some rows are in memory as floats. */
    int MAX_COLUMNS = 1 << 24;

    long rows();

    int columns();

    /**
     * Reads whole rows, one after the other.
     *
     * @param row the first
     * @param count how many
     * @param start index in the target of the first element
     */
    void read(long row, int count, float[] target, int start);

    /** Rows of their own, for what is small: its elements must fit an array. */
    default float[][] all() {
        float[][] all = new float[Math.toIntExact(rows())][columns()];
        for (int row = 0; row < all.length; row++) {
            read(row, 1, all[row], 0);
        }
        return all;
    }
}
