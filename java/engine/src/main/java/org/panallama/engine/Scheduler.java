package org.panallama.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextFullException;
import org.panallama.DecodeException;
import org.panallama.FinishReason;
import org.panallama.LoraAdapter;

/**
 * Computes the requests of an engine, on one thread: every step is one batch, of the next token of each running answer and of
 * a part of the prompts that still have to be computed.
 *
 * <p>Prompts share what a step has room for evenly, so that a short one is not held up by a long one; answers always take part,
 * so that no prompt holds them up. Requests with other LoRA adapters take turns, since a context computes with one set at a time.
 */
final class Scheduler {

    private static final int NO_ROOM = 1;

    private final Context context;
    private final Batch batch;
    private final Slots slots;
    private final @Nullable Drafter drafter;
    private final int chunk;
    private final List<Task> order = new ArrayList<>(); // the running tasks, as they were admitted
    private final Deque<Task> preempted = new ArrayDeque<>();
    private Map<LoraAdapter, Float> loraInUse = Map.of();
    private long step;

    final LongAdder promptTokens = new LongAdder();
    final LongAdder reusedTokens = new LongAdder();
    final LongAdder generatedTokens = new LongAdder();
    final LongAdder draftedTokens = new LongAdder();
    final LongAdder acceptedTokens = new LongAdder();
    final LongAdder steps = new LongAdder();
    volatile int running;
    volatile long cachedTokens;

    Scheduler(Context context, @Nullable Drafter drafter, int chunk) {
        this.context = context;
        this.batch = Batch.tokens(context.batchSize());
        this.slots = new Slots(context);
        this.drafter = drafter;
        this.chunk = Math.min(chunk, context.batchSize());
    }

    boolean hasWork() {
        return !order.isEmpty() || !preempted.isEmpty();
    }

    /** Whether another request can be taken on. */
    boolean hasPlace() {
        return slots.hasIdle() && preempted.isEmpty();
    }

    /** Takes a request on. */
    void admit(Task task) {
        try {
            slots.place(task);
        } catch (RuntimeException e) {
            task.fail(e); // a malformed grammar
            return;
        }
        reusedTokens.add(task.request.prompt.length - slotOf(task).pending());
        order.add(task);
        running = order.size();
        if (task.request.maxTokens == 0) {
            release(slotOf(task), () -> task.finish(FinishReason.MAX_TOKENS));
        }
    }

    private Slot slotOf(Task task) {
        return slots.running().stream()
                .filter(slot -> slot.task == task)
                .findFirst()
                .orElseThrow();
    }

    /** Ends what was cancelled or is overdue. */
    void sweep() {
        long now = System.nanoTime();
        for (Slot slot : slots.running()) {
            FinishReason reason = ended(slot.task, now);
            if (reason != null) {
                Task task = slot.task;
                release(slot, () -> task.finish(reason));
            }
        }
        sweep(preempted.iterator(), now);
    }

    /** The same for those that wait. */
    static void sweep(Iterator<Task> waiting, long now) {
        while (waiting.hasNext()) {
            Task task = waiting.next();
            FinishReason reason = ended(task, now);
            if (reason != null) {
                waiting.remove();
                task.finish(reason);
            }
        }
    }

    private static @Nullable FinishReason ended(Task task, long now) {
        if (task.completion.isCancelRequested()) {
            return FinishReason.CANCELLED;
        }
        return task.isOverdue(now) ? FinishReason.DEADLINE : null;
    }

    /** Ends everything that runs. */
    void end(FinishReason reason) {
        for (Slot slot : slots.running()) {
            Task task = slot.task;
            release(slot, () -> task.finish(reason));
        }
        preempted.forEach(task -> task.finish(reason));
        preempted.clear();
    }

    void fail(RuntimeException cause) {
        for (Slot slot : slots.running()) {
            Task task = slot.task;
            release(slot, () -> task.fail(cause));
        }
        preempted.forEach(task -> task.fail(cause));
        preempted.clear();
    }

    private void release(Slot slot, Runnable end) {
        order.remove(slot.task);
        slot.task = null;
        running = order.size();
        end.run();
    }

    /** Computes one batch. */
    void step() {
        while (!preempted.isEmpty() && slots.hasIdle()) {
            Task task = preempted.removeFirst();
            slots.place(task);
            order.add(task);
            running = order.size();
        }
        List<Slot> turn = turn();
        if (turn.isEmpty()) {
            return;
        }
        fill(turn);
        step++;
        if (compute(turn)) {
            steps.increment();
            for (Slot slot : turn) {
                if (slot.added > 0) {
                    slot.usedAt = step;
                    advance(slot);
                }
            }
        }
        cachedTokens = slots.cachedTokens();
    }

    /** The running slots that can be computed together: those with the adapters of the one that waited the longest. */
    private List<Slot> turn() {
        List<Slot> busy = slots.running();
        Slot first =
                busy.stream().min(Comparator.comparingLong(slot -> slot.usedAt)).orElse(null);
        if (first == null) {
            return List.of();
        }
        if (!first.lora.equals(loraInUse)) {
            context.setLora(first.lora);
            loraInUse = first.lora;
        }
        return busy.stream().filter(slot -> slot.lora.equals(loraInUse)).toList();
    }

    private void fill(List<Slot> turn) {
        batch.clear();
        List<Slot> answers = turn.stream().filter(slot -> slot.pending() == 1).toList();
        int spare = batch.capacity() - answers.size();
        for (Slot slot : answers) {
            slot.drafts = drafts(slot, Math.min(spare, chunk / answers.size()));
            spare -= slot.drafts.length;
            slot.first = batch.size();
            int position = slot.cached.size();
            batch.add(slot.task.tokens.get(position), position, slot.sequence, true);
            for (int draft : slot.drafts) {
                batch.add(draft, ++position, slot.sequence, true);
            }
            slot.added = 1 + slot.drafts.length;
        }
        List<Slot> prompts =
                new ArrayList<>(turn.stream().filter(slot -> slot.pending() > 1).toList());
        prompts.sort(Comparator.comparingInt(Slot::pending)); // what the short ones leave goes to the long ones
        int room = Math.min(chunk, batch.capacity() - batch.size());
        for (int i = 0; i < prompts.size(); i++) {
            Slot slot = prompts.get(i);
            int count = Math.min(slot.pending(), room / (prompts.size() - i));
            room -= count;
            slot.drafts = NO_DRAFTS;
            slot.first = batch.size();
            slot.added = count;
            int position = slot.cached.size();
            for (int end = position + count; position < end; position++) {
                batch.add(
                        slot.task.tokens.get(position),
                        position,
                        slot.sequence,
                        position == slot.task.tokens.size() - 1);
            }
        }
    }

    private static final int[] NO_DRAFTS = {};

    private int[] drafts(Slot slot, int most) {
        Task task = slot.task;
        // A guess that is right yields a token, and so does the place after the last one.
        int wanted =
                Math.min(task.request.maxTokens - task.generated() - 1, context.sequenceLength() - task.tokens.size());
        return drafter == null || Math.min(most, wanted) <= 0
                ? NO_DRAFTS
                : drafter.draft(slot.sequence, task.tokens, Math.min(most, wanted));
    }

    /** Returns whether the batch was computed; else there is room now for another attempt, or its requests have failed. */
    private boolean compute(List<Slot> turn) {
        try {
            context.decode(batch);
            return true;
        } catch (DecodeException e) {
            if (e.status() == NO_ROOM) {
                makeRoom(e);
            } else {
                failBatch(turn, e);
            }
        } catch (RuntimeException e) {
            failBatch(turn, e);
        }
        return false;
    }

    private void makeRoom(DecodeException cause) {
        if (slots.evict()) {
            return;
        }
        List<Slot> busy = slots.running();
        Task last = slots.preempt(busy, order);
        if (last != null) {
            order.remove(last);
            preempted.addFirst(last);
            running = order.size();
            return;
        }
        Slot only = busy.get(0);
        Task task = only.task;
        release(only, () -> {
            if (task.generated() > 0) {
                task.finish(FinishReason.CONTEXT_FULL);
            } else {
                task.fail(new ContextFullException(cause.getMessage()));
            }
        });
        slots.cut(only, 0);
    }

    private void failBatch(List<Slot> turn, RuntimeException cause) {
        for (Slot slot : turn) {
            if (slot.added > 0) {
                Task task = slot.task;
                release(slot, () -> task.fail(cause));
                slots.cut(slot, 0);
            }
        }
    }

    /** Takes what the batch put out for a slot. */
    private void advance(Slot slot) {
        Task task = slot.task;
        int before = slot.cached.size();
        boolean prompt = slot.pending() > 1 || task.generated() == 0;
        if (prompt) {
            promptTokens.add(slot.added - slot.drafts.length);
        }
        int known = Math.min(slot.added, task.tokens.size() - before);
        slot.cached.append(task.tokens.toArray(), before, before + known);
        if (slot.pending() > 0) {
            return; // there is more of the prompt
        }
        try {
            FinishReason reason = choose(slot, task, slot.first + known - 1);
            if (reason != null) {
                release(slot, () -> task.finish(reason));
            }
        } catch (RuntimeException e) {
            release(slot, () -> task.fail(e)); // a grammar at a dead end
            slots.cut(slot, before + known);
        }
    }

    private @Nullable FinishReason choose(Slot slot, Task task, int index) {
        int right = 0;
        FinishReason reason;
        while (true) {
            reason = task.choose(context, index + right);
            generatedTokens.increment();
            int token = task.tokens.get(task.tokens.size() - 1);
            if (reason != null || right == slot.drafts.length || token != slot.drafts[right]) {
                break;
            }
            slot.cached.append(token); // it was computed along
            right++;
        }
        if (slot.drafts.length > 0) {
            task.drafted += slot.drafts.length;
            task.accepted += right;
            draftedTokens.add(slot.drafts.length);
            acceptedTokens.add(right);
            slots.cut(slot, slot.cached.size());
        }
        if (reason == null && task.tokens.size() > context.sequenceLength()) {
            reason = FinishReason.CONTEXT_FULL;
        }
        return reason;
    }

    void close() {
        if (drafter != null) {
            drafter.close();
        }
        batch.close();
        context.close();
    }
}
