package org.panallama.tools.lora;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LowRankProductTest {

    private record Numbers(long rows, int columns, float[] elements) implements Matrix {

        static Numbers random(int rows, int columns, Random random) {
            float[] elements = new float[rows * columns];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = (float) random.nextGaussian();
            }
            return new Numbers(rows, columns, elements);
        }

        @Override
        public void read(long row, int count, float[] target, int start) {
            System.arraycopy(elements, (int) row * columns, target, start, count * columns);
        }
    }

    /** Every number as it is defined, to the last bit, whatever is left over of rows, rank and columns. */
    @ParameterizedTest
    @CsvSource({"1,1,1", "2,3,5", "3,4,1024", "4,5,1025", "7,16,2049", "10,2,1000"})
    void sumsAreInTheOrderOfTheRank(int rows, int rank, int columns) {
        Random random = new Random(7);
        Numbers b = Numbers.random(rows + 2, rank, random);
        Numbers a = Numbers.random(rank, columns, random);
        float[] target = Numbers.random(rows + 3, columns, random).elements();
        float factor = 0.375f * -2;
        float[] expected = target.clone();
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                float sum = 0;
                for (int k = 0; k < rank; k++) {
                    sum += b.elements()[(i + 1) * rank + k] * a.elements()[k * columns + j];
                }
                expected[(i + 2) * columns + j] += factor * sum;
            }
        }
        new LowRankProduct(new LowRank(b, a, 0.375f), -2).addTo(1, rows, target, 2 * columns);
        assertThat(target).containsExactly(expected);
    }
}
