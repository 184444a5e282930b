package org.panallama.tools.table;

import java.util.Arrays;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Model;

/**
 * Tokens per second, the medians of a few rounds after one to warm up.
 *
 * @param prompt of tokens computed together
 * @param decode of tokens computed one by one
 */
record Speed(double prompt, double decode) {

    private static final int ROUNDS = 3;

    /** Measures with the tokens of a text, from its beginning again where it is short. */
    static Speed measure(Model model, int[] text, int promptTokens, int decodedTokens, int threads) {
        int[] prompt = new int[promptTokens];
        for (int i = 0; i < promptTokens; i++) {
            prompt[i] = text[i % text.length];
        }
        double[] promptSpeeds = new double[ROUNDS];
        double[] decodeSpeeds = new double[ROUNDS];
        ContextOptions options = ContextOptions.builder()
                .length(promptTokens + decodedTokens)
                .threads(threads)
                .build();
        try (Context context = model.newContext(options)) {
            for (int round = -1; round < ROUNDS; round++) {
                context.memory().clear();
                long start = System.nanoTime();
                context.decode(prompt);
                long middle = System.nanoTime();
                for (int i = 0; i < decodedTokens; i++) {
                    context.decode(text[i % text.length]);
                }
                long end = System.nanoTime();
                if (round >= 0) {
                    promptSpeeds[round] = promptTokens * 1e9 / (middle - start);
                    decodeSpeeds[round] = decodedTokens * 1e9 / (end - middle);
                }
            }
        }
        return new Speed(median(promptSpeeds), median(decodeSpeeds));
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }
}
