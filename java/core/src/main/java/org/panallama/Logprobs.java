package org.panallama;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Log-probabilities out of logits. */
final class Logprobs {

    private Logprobs() {}

    /** The chosen token with the likeliest ones beside it. */
    static TokenLogprob of(Vocab vocab, FloatView logits, int token, int top) {
        float[] values = logits.toArray();
        double norm = logits.logSumExp();
        PriorityQueue<Integer> best = new PriorityQueue<>(Comparator.comparingDouble((Integer i) -> values[i]));
        for (int i = 0; i < values.length && top > 0; i++) {
            if (best.size() < top) {
                best.add(i);
            } else if (values[i] > values[best.peek()]) {
                best.poll();
                best.add(i);
            }
        }
        List<TokenLogprob> likeliest = new ArrayList<>();
        while (!best.isEmpty()) {
            int i = best.poll();
            likeliest.add(0, new TokenLogprob(i, vocab.piece(i), values[i] - norm, List.of()));
        }
        return new TokenLogprob(token, vocab.piece(token), values[token] - norm, likeliest);
    }
}
