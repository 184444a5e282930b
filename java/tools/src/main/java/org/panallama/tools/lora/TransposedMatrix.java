package org.panallama.tools.lora;

import org.jspecify.annotations.Nullable;

/** A small matrix with rows and columns exchanged; it is in memory once it is used. */
final class TransposedMatrix implements Matrix {

    private final Matrix source;
    private float @Nullable [][] columns;

    TransposedMatrix(Matrix source) {
        if (source.rows() > MAX_COLUMNS) {
            throw new LoraException("a matrix of " + source.rows()
                    + " rows is to be transposed, it must have from 1 to " + MAX_COLUMNS);
        }
        this.source = source;
    }

    @Override
    public long rows() {
        return source.columns();
    }

    @Override
    public int columns() {
        return Math.toIntExact(source.rows());
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        float[][] of = loaded();
        for (int i = 0, at = start; i < count; i++) {
            for (float[] column : of) {
                target[at++] = column[(int) row + i];
            }
        }
    }

    private synchronized float[][] loaded() {
        float[][] loaded = columns;
        if (loaded == null) {
            loaded = source.all();
            columns = loaded;
        }
        return loaded;
    }
}
