package org.panallama.kernels;

/**
 * What a model says about a token of a text before it has seen it.
 *
 * @param token the token that comes
 * @param logProbabilities of all tokens of the vocabulary
 */
record Prediction(int token, float[] logProbabilities) {

    int mostLikely() {
        int best = 0;
        for (int i = 1; i < logProbabilities.length; i++) {
            if (logProbabilities[i] > logProbabilities[best]) {
                best = i;
            }
        }
        return best;
    }
}
