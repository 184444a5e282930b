package org.panallama.tools.lora;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Adds rows of a low-rank change to a matrix.
 *
 * <p>DEFINITION: w[i][j] += factor * sum over k of b[i][k] * a[k][j], all in single precision.
 *
 * <p>LAYOUT: four rows of a are taken at once, so that a sum is loaded and stored once for four products, in tiles of
 * columns that keep both in the caches next to the processor. Rows are arrays of their own, indexed alike, since only
 * then the compiler knows that they do not overlap and makes vector instructions.
 */
final class LowRankProduct {

    private static final int STEP = 4;
    private static final int TILE = 512;

    private final LowRank pair;
    private final float factor;
    private float @Nullable [][] a; // to a multiple of four rows, with zeros

    /**
     * Begins.
     *
     * @param weight multiplies the pair's own scale
     */
    LowRankProduct(LowRank pair, float weight) {
        this.pair = pair;
        this.factor = pair.scale() * weight;
    }

    private synchronized float[][] a() {
        float[][] loaded = a;
        if (loaded == null) {
            float[][] rows = pair.a().all();
            loaded = Arrays.copyOf(rows, (rows.length + STEP - 1) / STEP * STEP);
            Arrays.fill(loaded, rows.length, loaded.length, new float[pair.a().columns()]);
            a = loaded;
        }
        return loaded;
    }

    /**
     * Adds.
     *
     * @param row first row of the product
     * @param count how many
     * @param target rows to be added to
     * @param start index of the first element
     */
    void addTo(long row, int count, float[] target, int start) {
        float[][] right = a();
        int columns = pair.a().columns();
        int rank = pair.rank();
        float[] left = new float[count * rank];
        pair.b().read(row, count, left, 0);
        float[] b = new float[right.length];
        float[] sum = new float[columns];
        float[] result = new float[columns];
        for (int from = 0; from < columns; from += TILE) {
            int to = Math.min(columns, from + TILE);
            for (int i = 0; i < count; i++) {
                System.arraycopy(left, i * rank, b, 0, rank);
                multiply(b, right, sum, from, to);
                int at = start + i * columns + from;
                System.arraycopy(target, at, result, from, to - from);
                add(sum, factor, result, from, to);
                System.arraycopy(result, from, target, at, to - from);
            }
        }
    }

    private static void multiply(float[] b, float[][] a, float[] sum, int from, int to) {
        Arrays.fill(sum, from, to, 0);
        for (int k = 0; k < b.length; k += STEP) {
            addFour(b, k, a[k], a[k + 1], a[k + 2], a[k + 3], sum, from, to);
        }
    }

    private static void addFour(
            float[] b, int k, float[] a0, float[] a1, float[] a2, float[] a3, float[] sum, int from, int to) {
        float b0 = b[k];
        float b1 = b[k + 1];
        float b2 = b[k + 2];
        float b3 = b[k + 3];
        for (int j = from; j < to; j++) {
            sum[j] += b0 * a0[j] + b1 * a1[j] + b2 * a2[j] + b3 * a3[j];
        }
    }

    private static void add(float[] sum, float factor, float[] result, int from, int to) {
        for (int j = from; j < to; j++) {
            result[j] += factor * sum[j];
        }
    }
}
