package org.panallama.tools.lora;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Adds rows of a low-rank change to a matrix.
 *
 * <p>DEFINITION: w[i][j] += factor * sum over k of b[i][k] * a[k][j], all in single precision, the sum in the order of
 * k.
 *
 * <p>LAYOUT: three rows of the result and two of a are taken at once, so that five loads and three stores serve six
 * products, in tiles of columns whose part of a stays in the second-level cache. Rows of a tile are arrays of their
 * own, indexed alike, since only then the compiler knows that they do not overlap and makes vector instructions. It
 * makes none of loops with more products, nor of sums in another order. On a Zen 5, by JDK 17 and 25, a core does 50 G
 * multiply-adds a second so, and 27 with one row and four products.
 */
final class LowRankProduct {

    private static final int ROWS = 3;
    private static final int STEP = 2;
    private static final int TILE = 1024;

    private final LowRank pair;
    private final float factor;
    private float @Nullable [][][] tiles; // of a, each to an even number of rows, with zeros

    /**
     * Begins.
     *
     * @param weight multiplies the pair's own scale
     */
    LowRankProduct(LowRank pair, float weight) {
        this.pair = pair;
        this.factor = pair.scale() * weight;
    }

    private synchronized float[][][] tiles() {
        float[][][] loaded = tiles;
        if (loaded == null) {
            int columns = pair.a().columns();
            loaded = new float[(columns + TILE - 1) / TILE][padded(pair.rank(), STEP)][];
            float[] row = new float[columns];
            for (int k = 0; k < loaded[0].length; k++) {
                if (k < pair.rank()) {
                    pair.a().read(k, 1, row, 0);
                } else {
                    Arrays.fill(row, 0);
                }
                for (int tile = 0; tile < loaded.length; tile++) {
                    loaded[tile][k] = Arrays.copyOfRange(row, tile * TILE, Math.min(columns, (tile + 1) * TILE));
                }
            }
            tiles = loaded;
        }
        return loaded;
    }

    private static int padded(int count, int step) {
        return (count + step - 1) / step * step;
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
        int columns = pair.a().columns();
        float[][] left = left(row, count);
        float[][] sums = new float[ROWS][TILE];
        float[] result = new float[TILE];
        int from = start;
        for (float[][] right : tiles()) {
            int width = right[0].length;
            for (int i = 0; i < count; i += ROWS) {
                multiply(left, i, right, sums);
                for (int n = 0; n < Math.min(ROWS, count - i); n++) {
                    int at = from + (i + n) * columns;
                    System.arraycopy(target, at, result, 0, width);
                    add(sums[n], factor, result, width);
                    System.arraycopy(result, 0, target, at, width);
                }
            }
            from += width;
        }
    }

    /** Rows of b, to a multiple of three of an even length, with zeros. */
    private float[][] left(long row, int count) {
        float[][] left = new float[padded(count, ROWS)][padded(pair.rank(), STEP)];
        for (int i = 0; i < count; i++) {
            pair.b().read(row + i, 1, left[i], 0);
        }
        return left;
    }

    private static void multiply(float[][] left, int i, float[][] right, float[][] sums) {
        int width = right[0].length;
        for (float[] sum : sums) {
            Arrays.fill(sum, 0, width, 0);
        }
        for (int k = 0; k < right.length; k += STEP) {
            addTwo(left[i], left[i + 1], left[i + 2], k, right[k], right[k + 1], sums[0], sums[1], sums[2], width);
        }
    }

    private static void addTwo(
            float[] b0,
            float[] b1,
            float[] b2,
            int k,
            float[] a0,
            float[] a1,
            float[] sum0,
            float[] sum1,
            float[] sum2,
            int width) {
        float b00 = b0[k];
        float b01 = b0[k + 1];
        float b10 = b1[k];
        float b11 = b1[k + 1];
        float b20 = b2[k];
        float b21 = b2[k + 1];
        for (int j = 0; j < width; j++) {
            float x0 = a0[j];
            float x1 = a1[j];
            float s0 = sum0[j];
            float s1 = sum1[j];
            float s2 = sum2[j];
            sum0[j] = s0 + b00 * x0 + b01 * x1;
            sum1[j] = s1 + b10 * x0 + b11 * x1;
            sum2[j] = s2 + b20 * x0 + b21 * x1;
        }
    }

    private static void add(float[] sum, float factor, float[] result, int width) {
        for (int j = 0; j < width; j++) {
            result[j] += factor * sum[j];
        }
    }
}
