package org.panallama;

import org.jspecify.annotations.Nullable;
import org.panallama.internal.TokenHistory;
import org.panallama.spi.Binding;

/**
 * Sequence 0 of a context as a text that grows at its end: tokens are appended without saying where, and a new prompt computes
 * only what differs from the text before.
 */
final class Transcript {

    private static final int SEQUENCE = 0;

    private final Context context;
    private final Binding binding;
    private final Handle handle;
    private final TokenHistory history = new TokenHistory();
    private @Nullable Batch scratch;

    Transcript(Context context, Binding binding, Handle handle) {
        this.context = context;
        this.binding = binding;
        this.handle = handle;
    }

    /** Something else changed the context's memory, so that it is not known any more what is there. */
    void forget() {
        history.forget();
    }

    /** The tokens in the context's memory; none if they are not known. */
    int[] tokens() {
        return history.toArray();
    }

    /** Something else put these tokens into the context's memory. */
    void remember(int[] tokens) {
        history.forget();
        history.append(tokens, 0, tokens.length);
    }

    /**
     * Appends {@code tokens[from]} to {@code tokens[to - 1]}.
     *
     * @throws ContextFullException if they do not fit; nothing was computed then
     */
    void append(int[] tokens, int from, int to) {
        if (from == to) {
            throw new IllegalArgumentException("no tokens to decode");
        }
        handle.enter();
        context.abort().begin();
        try {
            int position = context.lastPosition(SEQUENCE) + 1;
            if (to - from > context.sequenceLength() - position) {
                throw new ContextFullException((to - from) + " tokens after the " + position
                        + " in the context exceed its length of " + context.sequenceLength()
                        + ". Open a longer context with ContextOptions.length(), or shorten the text.");
            }
            Batch batch = scratch();
            for (int start = from; start < to; start += batch.capacity()) {
                int end = Math.min(to, start + batch.capacity());
                batch.clear();
                for (int i = start; i < end; i++) {
                    batch.add(tokens[i], position++, SEQUENCE, i == to - 1);
                }
                context.decoder().compute(batch, false);
                history.append(tokens, start, end);
            }
        } finally {
            context.abort().end();
            handle.exit();
        }
    }

    /** Appends one token at the position that the caller knows to be the next. */
    void append(int token, int position) {
        Batch batch = scratch();
        batch.clear();
        batch.add(token, position, SEQUENCE, true);
        context.decoder().compute(batch, false);
        history.append(token);
    }

    /**
     * Cuts the text back to what it has in common with a prompt, but for the prompt's last token, whose logits are wanted.
     *
     * @return the length of what is left
     */
    int reuse(int[] prompt) {
        handle.enter();
        try {
            int common = Math.min(history.commonPrefix(prompt), prompt.length - 1);
            // Where the sizes differ, a computation was cut short or came from elsewhere.
            if (common > 0
                    && history.size() == context.lastPosition(SEQUENCE) + 1
                    && remove(common, ContextMemory.END)) {
                history.truncate(common);
                return common;
            }
            remove(0, ContextMemory.END);
            history.forget();
            return 0;
        } finally {
            handle.exit();
        }
    }

    /**
     * Drops the older half of what comes behind the tokens to keep, and moves the rest up.
     *
     * @return how many tokens were dropped
     * @throws ContextFullException if the model's memory cannot do that
     */
    int shift(int keep) {
        handle.enter();
        try {
            long memory = context.memoryAddress();
            int length = context.lastPosition(SEQUENCE) + 1;
            int dropped = Math.max(1, (length - keep) / 2);
            if (!binding.memoryCanShift(memory) || !remove(keep, keep + dropped)) {
                throw new ContextFullException("The context of " + length + " tokens is full, and the memory of "
                        + context.model() + " cannot be shifted.");
            }
            binding.memoryAdd(memory, SEQUENCE, keep + dropped, ContextMemory.END, -dropped);
            if (history.size() == length) {
                history.cut(keep, keep + dropped);
            }
            return dropped;
        } finally {
            handle.exit();
        }
    }

    private boolean remove(int from, int to) {
        return binding.memoryRemove(context.memoryAddress(), SEQUENCE, from, to);
    }

    private Batch scratch() {
        Batch batch = scratch;
        if (batch == null) {
            batch = Batch.scratch(context.textBatchSize(), handle);
            scratch = batch;
        }
        return batch;
    }
}
