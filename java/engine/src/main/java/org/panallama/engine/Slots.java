package org.panallama.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.Context;
import org.panallama.ContextMemory;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.internal.TokenHistory;

/** The sequences of a context, and what they remember: a prompt begins where one of them had the same beginning. */
final class Slots {

    private final Context context;
    private final List<Slot> all = new ArrayList<>();
    private final boolean state;
    private final boolean window;

    Slots(Context context) {
        this.context = context;
        for (int sequence = 0; sequence < context.sequences(); sequence++) {
            all.add(new Slot(sequence));
        }
        Model model = context.model();
        state = model.isRecurrent() || model.isHybrid();
        window = model.slidingWindow() > 0;
    }

    int idle() {
        int count = 0;
        for (Slot slot : all) {
            count += slot.isIdle() ? 1 : 0;
        }
        return count;
    }

    long cachedTokens() {
        long tokens = 0;
        for (Slot slot : all) {
            tokens += slot.cached.size();
        }
        return tokens;
    }

    /** Gives a task the idle slot from which the least has to be computed. There must be one. */
    Slot place(Task task) {
        Map<LoraAdapter, Float> lora = task.request.lora;
        Slot source = null;
        int common = 0;
        for (Slot slot : all) {
            int same = slot.lora.equals(lora) ? usable(slot, task.tokens) : 0;
            if (same > common || (same == common && same > 0 && slot.isIdle())) {
                source = slot;
                common = same;
            }
        }
        Slot target = target(source, common);
        int remembered = source == null ? cut(target, 0) : take(source, target, common);
        target.lora = lora;
        target.task = task;
        task.placed(remembered);
        return target;
    }

    /** How much of what a slot remembers can begin a text. */
    private int usable(Slot slot, TokenHistory tokens) {
        if (!slot.isIdle() && !context.sharesCache()) {
            return 0;
        }
        // The last token is computed in any case, for its logits.
        int same = Math.min(slot.cached.commonPrefix(tokens), tokens.size() - 1);
        if (state) {
            return same == slot.cached.size() ? same : 0; // a state is that of a whole text, not of its beginning
        }
        if (window && same > 0 && context.memory().minPosition(slot.sequence) > 0) {
            return 0; // the window has moved on, over what the beginning would have to see
        }
        return same;
    }

    /** The source itself, unless that is busy or remembers much more, and its beginning can be copied. */
    private Slot target(@Nullable Slot source, int common) {
        if (source != null && source.isIdle()) {
            boolean copies = context.sharesCache() && idle() > 1 && source.cached.size() > 2 * common;
            if (!copies) {
                return source;
            }
        }
        Slot best = null;
        for (Slot slot : all) {
            if (slot.isIdle() && slot != source && (best == null || slot.lostBefore(best))) {
                best = slot;
            }
        }
        if (best == null) {
            throw new IllegalStateException("no slot is idle");
        }
        return best;
    }

    private int take(Slot source, Slot target, int common) {
        if (source == target) {
            return cut(target, common);
        }
        cut(target, 0);
        context.memory().copy(source.sequence, target.sequence, 0, common);
        target.cached.append(source.cached, 0, common);
        return common;
    }

    /**
     * Makes a slot forget what comes after a length.
     *
     * @return how much it remembers then: nothing, if the model's memory cannot be cut there
     */
    int cut(Slot slot, int length) {
        if (length > 0 && context.memory().remove(slot.sequence, length, ContextMemory.END)) {
            slot.cached.truncate(length);
            return length;
        }
        context.memory().remove(slot.sequence);
        slot.cached.forget();
        return 0;
    }

    /** Makes room: the idle slot that was used the longest ago forgets. Returns whether there was one. */
    boolean evict() {
        Slot oldest = null;
        for (Slot slot : all) {
            if (slot.isIdle() && slot.cached.size() > 0 && (oldest == null || slot.usedAt < oldest.usedAt)) {
                oldest = slot;
            }
        }
        if (oldest == null) {
            return false;
        }
        cut(oldest, 0);
        return true;
    }
}
