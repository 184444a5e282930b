package org.panallama.tools.perplexity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class LogitRowTest {

    @Test
    void theExponentialIsAccurate() {
        for (double x = 0; x > -20; x -= 0.0137) {
            assertThat(LogitRow.exp(x)).isCloseTo(Math.exp(x), Percentage.withPercentage(1e-7));
        }
        for (double x = -20; x > -64; x -= 0.137) {
            assertThat(LogitRow.exp(x)).isCloseTo(Math.exp(x), Percentage.withPercentage(1e-3));
        }
        assertThat(LogitRow.exp(Double.NEGATIVE_INFINITY)).isLessThan(1e-27);
        assertThat(LogitRow.exp(Double.NaN)).isNaN();
    }

    @Test
    void likelihoodIsThatOfTheSoftmax() {
        for (int size : new int[] {1, 2, 3, 1023, 1024, 1025, 5000}) {
            LogitRow row = random(size, false, size);
            row.next(size / 2);
            row.normalize();
            assertThat(row.nll()).isCloseTo(-Math.log(softmax(row)[size / 2]), within(1e-6));
        }
    }

    @Test
    void aRowDoesNotDivergeFromItself() {
        LogitRow row = random(5001, true, 7);
        row.next(17);
        row.normalize();
        row.encode();
        row.compare();
        assertThat(row.divergence()).isCloseTo(0, within(1e-4)); // 16 bits for 16 nats
        assertThat(row.sameTop()).isTrue();
        assertThat(row.baseNll()).isCloseTo(row.nll(), within(2e-4));
        assertThat(row.stored().remaining()).isEqualTo(8 + 2 * 5002);
    }

    @Test
    void divergenceIsThatOfTheDefinition() {
        LogitRow base = random(3000, true, 1);
        LogitRow row = random(3000, true, 2);
        double[] p = softmax(base);
        double[] q = softmax(row);
        double expected = 0;
        for (int i = 0; i < p.length; i++) {
            expected += p[i] * Math.log(p[i] / q[i]);
        }
        base.normalize();
        base.encode();
        row.stored().put(base.stored());
        row.normalize();
        row.compare();
        assertThat(row.divergence()).isCloseTo(expected, Percentage.withPercentage(0.1));
        assertThat(row.sameTop()).isFalse();
    }

    @Test
    void equalLogitsAndImpossibleTokensAreStored() {
        LogitRow row = new LogitRow(4, true);
        row.normalize();
        row.encode();
        row.compare();
        assertThat(row.divergence()).isCloseTo(0, within(1e-6));
        assertThat(row.nll()).isCloseTo(Math.log(4), within(1e-9));
        row.logits[3] = Float.NEGATIVE_INFINITY;
        row.normalize();
        row.encode();
        row.compare();
        assertThat(row.nll()).isCloseTo(Math.log(3), within(1e-9));
        assertThat(row.baseNll()).isCloseTo(Math.log(3), within(1e-3));
    }

    private static LogitRow random(int size, boolean stores, long seed) {
        LogitRow row = new LogitRow(size, stores);
        Random random = new Random(seed);
        for (int i = 0; i < size; i++) {
            row.logits[i] = (float) random.nextGaussian() * 2;
        }
        return row;
    }

    private static double[] softmax(LogitRow row) {
        double[] p = new double[row.logits.length];
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            p[i] = Math.exp(row.logits[i]);
            sum += p[i];
        }
        for (int i = 0; i < p.length; i++) {
            p[i] /= sum;
        }
        return p;
    }
}
