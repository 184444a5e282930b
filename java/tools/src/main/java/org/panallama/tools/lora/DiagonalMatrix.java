package org.panallama.tools.lora;

import java.util.Arrays;

/** A multiple of the identity. */
record DiagonalMatrix(int size, float value) implements Matrix {

    @Override
    public long rows() {
        return size;
    }

    @Override
    public int columns() {
        return size;
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        Arrays.fill(target, start, start + count * size, 0);
        for (int i = 0; i < count; i++) {
            target[start + i * size + (int) row + i] = value;
        }
    }
}
