package org.panallama.tools.lora;

import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Matrices one below the other, each with room for the same number of rows and columns. Where one is smaller or absent
 * there are zeros.
 *
 * @param count of matrices
 * @param room rows of each
 * @param columns of each
 * @param parts those that are not absent, by their place
 */
record StackedMatrix(int count, long room, int columns, Map<Integer, Part> parts) implements Matrix {

    /**
     * A matrix in a stack.
     *
     * @param factor that its elements are multiplied by
     */
    record Part(Matrix matrix, float factor) {}

    /** A matrix that is multiplied. */
    static Matrix scaled(Matrix matrix, float factor) {
        return factor == 1
                ? matrix
                : new StackedMatrix(1, matrix.rows(), matrix.columns(), Map.of(0, new Part(matrix, factor)));
    }

    @Override
    public long rows() {
        return room * count;
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        for (int i = 0; i < count; i++) {
            Part part = parts.get((int) ((row + i) / room));
            readRow(part, (row + i) % room, target, start + i * columns);
        }
    }

    private void readRow(@Nullable Part part, long row, float[] target, int start) {
        int width = 0;
        if (part != null && row < part.matrix().rows()) {
            width = part.matrix().columns();
            part.matrix().read(row, 1, target, start);
            for (int i = start; part.factor() != 1 && i < start + width; i++) {
                target[i] *= part.factor();
            }
        }
        Arrays.fill(target, start + width, start + columns, 0);
    }
}
