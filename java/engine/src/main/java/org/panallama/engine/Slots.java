package org.panallama.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.Context;
import org.panallama.ContextMemory;
import org.panallama.LoraAdapter;

/** The sequences of a context, and what they remember: a prompt begins where one of them had the same beginning. */
final class Slots {

    private final Context context;
    private final List<Slot> all = new ArrayList<>();

    Slots(Context context) {
        this.context = context;
        for (int sequence = 0; sequence < context.sequences(); sequence++) {
            all.add(new Slot(sequence));
        }
    }

    List<Slot> running() {
        return all.stream().filter(slot -> !slot.isIdle()).toList();
    }

    boolean hasIdle() {
        return all.stream().anyMatch(Slot::isIdle);
    }

    long cachedTokens() {
        return all.stream().mapToLong(slot -> slot.cached.size()).sum();
    }

    /**
     * Gives a task the idle slot from which the least has to be computed. There must be one.
     *
     * @throws RuntimeException if its sampler cannot begin; it has no slot then
     */
    void place(Task task) {
        task.begin(context.model());
        Map<LoraAdapter, Float> lora = task.request.lora;
        int[] tokens = task.tokens.toArray();
        Slot source = null;
        int common = 0;
        for (Slot slot : all) {
            // The last token is computed in any case, for its logits.
            int same = slot.lora.equals(lora) ? Math.min(slot.cached.commonPrefix(tokens), tokens.length - 1) : 0;
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
    }

    /** The source itself, unless that is busy or remembers much more, and its beginning can be copied. */
    private Slot target(@Nullable Slot source, int common) {
        boolean own = source != null && source.isIdle();
        boolean spare = all.stream().filter(Slot::isIdle).count() > 1;
        if (own && !(context.sharesCache() && spare && source.cached.size() > 2 * common)) {
            return source;
        }
        return all.stream()
                .filter(slot -> slot.isIdle() && slot != source)
                .min(Comparator.comparingLong((Slot slot) -> slot.cached.size() == 0 ? -1 : slot.usedAt))
                .orElseThrow();
    }

    private int take(Slot source, Slot target, int common) {
        if (source == target) {
            return cut(target, common);
        }
        cut(target, 0);
        if (!context.sharesCache()) {
            return 0;
        }
        context.memory().copy(source.sequence, target.sequence, 0, common);
        target.cached.append(source.cached.toArray(), 0, common);
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
        Slot oldest = all.stream()
                .filter(slot -> slot.isIdle() && slot.cached.size() > 0)
                .min(Comparator.comparingLong(slot -> slot.usedAt))
                .orElse(null);
        if (oldest == null) {
            return false;
        }
        cut(oldest, 0);
        return true;
    }

    /** The task that came last gives its place back; {@code null} if there is no second one. */
    @Nullable Task preempt(List<Slot> running, List<Task> order) {
        if (running.size() < 2) {
            return null;
        }
        Slot last = running.stream()
                .max(Comparator.comparingInt(slot -> order.indexOf(slot.task)))
                .orElseThrow();
        Task task = last.task;
        last.task = null;
        cut(last, 0);
        return task;
    }
}
