package org.panallama.tools.imatrix;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.panallama.LlamaException;

/**
 * What was fed to one weight tensor: for each expert, and each column of its matrix, the sum of the squares of the activations
 * that the column was multiplied by. A matrix that is not of experts counts as one expert.
 *
 * @param squares {@code counts.length} times as many numbers as the matrix has columns, expert after expert
 * @param counts for each expert, how many vectors were summed; in old files one number stands for all experts
 */
public record TensorActivations(float[] squares, long[] counts) {

    /**
     * Checks the lengths. The arrays are not copied.
     *
     * @throws IllegalArgumentException if {@code squares} is not the same number of columns for each expert
     */
    public TensorActivations {
        if (counts.length == 0 || squares.length == 0 || squares.length % counts.length != 0) {
            throw new IllegalArgumentException(squares.length + " sums for " + counts.length
                    + " counts: must be a whole number for each, at least 1");
        }
    }

    /** The columns of the matrix, all experts' together where the counts are. */
    public int columns() {
        return squares.length / counts.length;
    }

    /** The experts that no vector reached, ascending. */
    public int[] unseenExperts() {
        return IntStream.range(0, counts.length)
                .filter(expert -> counts[expert] == 0)
                .toArray();
    }

    /**
     * The columns' weights: mean squares.
     *
     * @param name of the tensor, for errors
     * @param unseen what to do for experts that no vector reached
     * @return as many numbers as {@code squares}
     * @throws LlamaException if there are such experts and {@code unseen} is {@link UnseenExperts#REFUSE}
     */
    float[] importance(String name, UnseenExperts unseen) {
        if (unseen == UnseenExperts.REFUSE && unseenExperts().length > 0) {
            throw new LlamaException("The text of the importance matrix never reached the experts "
                    + Arrays.toString(unseenExperts()) + " of " + name
                    + ": collect it from a longer or more varied text, or choose what they shall weigh");
        }
        int columns = columns();
        float[] importance = new float[squares.length];
        float[] mean = unseen == UnseenExperts.MEAN ? mean(columns) : ones(columns);
        for (int expert = 0; expert < counts.length; expert++) {
            int start = expert * columns;
            if (counts[expert] == 0) {
                System.arraycopy(mean, 0, importance, start, columns);
                continue;
            }
            float count = counts[expert];
            for (int i = start; i < start + columns; i++) {
                importance[i] = squares[i] / count;
            }
        }
        return importance;
    }

    private float[] mean(int columns) {
        long count = Arrays.stream(counts).sum();
        if (count == 0) {
            return ones(columns);
        }
        double[] sums = new double[columns];
        for (int expert = 0; expert < counts.length; expert++) {
            if (counts[expert] > 0) {
                for (int i = 0; i < columns; i++) {
                    sums[i] += squares[expert * columns + i];
                }
            }
        }
        float[] mean = new float[columns];
        for (int i = 0; i < columns; i++) {
            mean[i] = (float) (sums[i] / count);
        }
        return mean;
    }

    private static float[] ones(int columns) {
        float[] ones = new float[columns];
        Arrays.fill(ones, 1);
        return ones;
    }

    /**
     * The sum of two.
     *
     * @param name of the tensor, for errors
     * @throws IllegalArgumentException if they are of different shape
     */
    TensorActivations plus(String name, TensorActivations other) {
        if (squares.length != other.squares.length) {
            throw new IllegalArgumentException("the importance matrices have " + squares.length + " and "
                    + other.squares.length + " numbers for " + name + ": they are of different models");
        }
        // One count for all experts, of an old file, stands for each.
        int experts = Math.max(counts.length, other.counts.length);
        if (experts % counts.length != 0 || experts % other.counts.length != 0) {
            throw new IllegalArgumentException("the importance matrices have " + counts.length + " and "
                    + other.counts.length + " experts in " + name + ": they are of different models");
        }
        float[] sums = squares.clone();
        for (int i = 0; i < sums.length; i++) {
            sums[i] += other.squares[i];
        }
        long[] total = new long[experts];
        for (int expert = 0; expert < experts; expert++) {
            total[expert] =
                    counts[expert * counts.length / experts] + other.counts[expert * other.counts.length / experts];
        }
        return new TensorActivations(sums, total);
    }
}
