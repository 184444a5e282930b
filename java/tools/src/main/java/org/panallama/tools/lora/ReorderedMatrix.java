package org.panallama.tools.lora;

import org.panallama.tools.convert.TensorPlace;

/** A checkpoint's matrix with its rows in the order of the GGUF file. */
record ReorderedMatrix(Matrix source, TensorPlace place) implements Matrix {

    static Matrix of(Matrix source, TensorPlace place) {
        return place.heads() == 0 ? source : new ReorderedMatrix(source, place);
    }

    @Override
    public long rows() {
        return source.rows();
    }

    @Override
    public int columns() {
        return source.columns();
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        for (int i = 0; i < count; i++) {
            source.read(place.sourceRow(row + i), 1, target, start + i * columns());
        }
    }
}
