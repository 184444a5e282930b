package org.panallama.tools.lora;

/** One matrix less another of the same shape. */
record DifferenceMatrix(Matrix minuend, Matrix subtrahend) implements Matrix {

    @Override
    public long rows() {
        return minuend.rows();
    }

    @Override
    public int columns() {
        return minuend.columns();
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        int elements = count * columns();
        float[] other = new float[elements];
        subtrahend.read(row, count, other, 0);
        minuend.read(row, count, target, start);
        for (int i = 0; i < elements; i++) {
            target[start + i] -= other[i];
        }
    }
}
