package org.panallama.tools.perplexity;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One token's logits, and what they say of the token that came next. Reused from token to token; the loops are such that the
 * JIT compiler vectorizes them.
 */
final class LogitRow {

    /** Below this log-probability, the base's share of a divergence is left out, as the file cannot tell such ones apart. */
    static final float LEAST_LOG_PROBABILITY = -16;

    private static final int HEADER_BYTES = 2 * Float.BYTES;
    private static final int LEVELS = 65535;
    private static final int BLOCK = 1024; // terms stay in the first-level cache

    final float[] logits;
    private final double[] terms = new double[BLOCK];
    private final short[] levels;
    private final ByteBuffer stored;
    private int next;
    private int top;
    private float max;
    private double logSumExp;
    private double baseNll;
    private double divergence;
    private boolean sameTop;

    /**
     * Makes a row for a vocabulary.
     *
     * @param stores whether it is written to a file of logits, or compared with one
     */
    LogitRow(int vocabSize, boolean stores) {
        logits = new float[vocabSize];
        levels = new short[stores ? vocabSize : 0];
        stored = ByteBuffer.allocate(stores ? storedBytes(vocabSize) : 0).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Bytes of a row in a file: scale, least log-probability, and 16 bits for each token of the vocabulary, padded to four. */
    static int storedBytes(int vocabSize) {
        return HEADER_BYTES + Short.BYTES * ((vocabSize + 1) / 2 * 2);
    }

    /** The largest log-probability that a row can hold. */
    static float largest(float scale, float least) {
        return scale * LEVELS + least;
    }

    /** The bytes in the file, whole. */
    ByteBuffer stored() {
        return stored.clear();
    }

    void next(int token) {
        next = token;
    }

    /** Negative log-likelihood of the token that came. */
    double nll() {
        return logSumExp - logits[next];
    }

    /** That of the base. */
    double baseNll() {
        return baseNll;
    }

    /** Kullback-Leibler divergence from the base's distribution. */
    double divergence() {
        return divergence;
    }

    /** Whether the base finds the same token likeliest. */
    boolean sameTop() {
        return sameTop;
    }

    /** Finds the normalisation of the logits. */
    void normalize() {
        top = 0;
        max = logits[0];
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > max) {
                max = logits[i];
                top = i;
            }
        }
        double sum = 0;
        for (int from = 0; from < logits.length; from += BLOCK) {
            int count = Math.min(BLOCK, logits.length - from);
            for (int i = 0; i < count; i++) {
                terms[i] = exp(logits[from + i] - max);
            }
            sum += sum(count);
        }
        logSumExp = max + Math.log(sum);
    }

    /** Writes the log-probabilities into {@link #stored()}, in 65536 equal steps from the least to the largest. */
    void encode() {
        float min = max;
        for (float logit : logits) {
            min = Math.min(min, logit);
        }
        min = Math.max(min, max + LEAST_LOG_PROBABILITY);
        float scale = (max - min) / LEVELS;
        float perStep = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < logits.length; i++) {
            levels[i] = (short) (int) Math.min(LEVELS, Math.max(0, (logits[i] - min) * perStep) + 0.5f);
        }
        stored.clear();
        stored.putFloat(scale).putFloat((float) (min - logSumExp));
        stored.asShortBuffer().put(levels);
    }

    /** Compares with the base's log-probabilities in {@link #stored()}. */
    void compare() {
        float scale = stored.getFloat(0);
        float least = stored.getFloat(Float.BYTES);
        stored.position(HEADER_BYTES);
        stored.asShortBuffer().get(levels);
        int baseTop = 0;
        int highest = -1;
        double sum = 0;
        for (int from = 0; from < logits.length; from += BLOCK) {
            int count = Math.min(BLOCK, logits.length - from);
            for (int i = 0; i < count; i++) {
                double base = scale * (levels[from + i] & 0xFFFF) + least;
                double term = exp(base) * (base - logits[from + i] + logSumExp);
                terms[i] = base > LEAST_LOG_PROBABILITY ? term : 0;
            }
            sum += sum(count);
            for (int i = from; i < from + count; i++) {
                int level = levels[i] & 0xFFFF;
                if (level > highest) {
                    highest = level;
                    baseTop = i;
                }
            }
        }
        divergence = sum;
        sameTop = top == baseTop;
        baseNll = -(scale * (levels[next] & 0xFFFF) + least);
    }

    private double sum(int count) {
        double even = 0;
        double odd = 0;
        int i = 0;
        for (; i + 1 < count; i += 2) {
            even += terms[i];
            odd += terms[i + 1];
        }
        return even + odd + (i < count ? terms[i] : 0);
    }

    /**
     * The exponential of a number that is not positive, by scaling and squaring: a polynomial of degree 6 for 1/256 of it, to
     * the power of 256. Relative error below 1e-9 down to -20 and below 1e-5 down to -64, where it ends.
     */
    static double exp(double x) {
        double y = Math.max(x, -64) * (1.0 / 256);
        double p = 1 + y * (1 + y * (1.0 / 2 + y * (1.0 / 6 + y * (1.0 / 24 + y * (1.0 / 120 + y * (1.0 / 720))))));
        p *= p;
        p *= p;
        p *= p;
        p *= p;
        p *= p;
        p *= p;
        p *= p;
        return p * p;
    }
}
