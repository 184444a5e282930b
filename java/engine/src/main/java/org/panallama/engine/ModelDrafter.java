package org.panallama.engine;

import java.util.Arrays;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextMemory;
import org.panallama.FloatView;
import org.panallama.LlamaException;
import org.panallama.Vocab;
import org.panallama.internal.TokenHistory;

/** Lets a smaller model guess (Leviathan et al. 2022, arXiv 2211.17192; here the guesses are its likeliest tokens). */
final class ModelDrafter implements Drafter {

    private static final int[] NOTHING = {};

    private final Context context;
    private final Batch batch;
    private final TokenHistory[] cached;
    private final int most;
    private final double leastProbability;

    /**
     * @param context of the smaller model, with a sequence for each request
     * @throws IllegalArgumentException if the models' vocabularies differ
     */
    ModelDrafter(Context context, Vocab target, int most, double leastProbability) {
        checkSame(context.model().vocab(), target);
        this.context = context;
        this.batch = Batch.tokens(context.batchSize());
        this.cached = new TokenHistory[context.sequences()];
        Arrays.setAll(cached, i -> new TokenHistory());
        this.most = most;
        this.leastProbability = leastProbability;
    }

    private static void checkSame(Vocab draft, Vocab target) {
        boolean same = draft.size() == target.size() && draft.bos() == target.bos() && draft.eos() == target.eos();
        for (int token = 0; same && token < target.size(); token++) {
            same = draft.text(token).equals(target.text(token));
        }
        if (!same) {
            throw new IllegalArgumentException("the draft model has another vocabulary than the model: " + draft.size()
                    + " and " + target.size() + " tokens, or other texts. Use a model of the same family.");
        }
    }

    @Override
    public int[] draft(int slot, TokenHistory tokens, int room) {
        int count = Math.min(Math.min(most, room), context.sequenceLength() - tokens.size());
        if (count <= 0) {
            return NOTHING;
        }
        int[] guesses = new int[count];
        int found = 0;
        try {
            catchUp(slot, tokens);
            while (found < count) {
                FloatView logits = context.logits(-1);
                int best = logits.argMax();
                if (Math.exp(logits.get(best) - logits.logSumExp()) < leastProbability
                        || context.model().vocab().isEndOfGeneration(best)) {
                    break;
                }
                guesses[found++] = best;
                if (found < count) {
                    compute(slot, best);
                }
            }
        } catch (LlamaException e) {
            forget(slot); // nothing depends on guesses
            return NOTHING;
        }
        return Arrays.copyOf(guesses, found);
    }

    /** Computes what the draft model has not seen, the last token at least. */
    private void catchUp(int slot, TokenHistory tokens) {
        int size = tokens.size();
        int common = Math.min(cached[slot].commonPrefix(tokens), size - 1);
        if (!context.memory().remove(slot, common, ContextMemory.END)) {
            forget(slot);
            common = 0;
        }
        cached[slot].truncate(common);
        for (int from = common; from < size; from += batch.capacity()) {
            int to = Math.min(size, from + batch.capacity());
            batch.clear();
            for (int i = from; i < to; i++) {
                batch.add(tokens.get(i), i, slot, i == size - 1);
            }
            context.decode(batch);
            cached[slot].append(tokens, from, to);
        }
    }

    private void compute(int slot, int token) {
        batch.clear();
        batch.add(token, cached[slot].size(), slot, true);
        context.decode(batch);
        cached[slot].append(token);
    }

    private void forget(int slot) {
        context.memory().remove(slot);
        cached[slot].forget();
    }

    @Override
    public void close() {
        batch.close();
        context.close();
    }
}
