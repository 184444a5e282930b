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
    private static final int[] NO_DRAFTS = {};
    private static final Comparator<Slot> LONGEST_AGO = Comparator.comparingLong(slot -> slot.usedAt);

    private final Context context;
    private final Batch batch;
    private final Slots slots;
    private final @Nullable Drafter drafter;
    private final int chunk;
    private final List<Slot> running = new ArrayList<>(); // as they were admitted
    private final Deque<Task> ready = new ArrayDeque<>(); // admitted or preempted, to be given a slot
    private boolean crowded; // there was no room for a request; nobody has left since
    private boolean withoutDrafts; // there was no room for guesses
    private @Nullable Map<LoraAdapter, Float> loraInUse = Map.of(); // null if unknown
    private long step;

    // Within a step.
    private final List<Slot> turn = new ArrayList<>();
    private final List<Slot> answers = new ArrayList<>();
    private final List<Slot> prompts = new ArrayList<>();

    final LongAdder promptTokens = new LongAdder();
    final LongAdder reusedTokens = new LongAdder();
    final LongAdder generatedTokens = new LongAdder();
    final LongAdder draftedTokens = new LongAdder();
    final LongAdder acceptedTokens = new LongAdder();
    final LongAdder steps = new LongAdder();
    volatile int runningCount;
    volatile int readyCount;
    volatile long cachedTokens;

    Scheduler(Context context, @Nullable Drafter drafter, int chunk) {
        this.context = context;
        this.batch = Batch.tokens(context.batchSize());
        this.slots = new Slots(context);
        this.drafter = drafter;
        this.chunk = Math.min(chunk, context.batchSize());
    }

    boolean hasWork() {
        return !running.isEmpty() || !ready.isEmpty();
    }

    /** How many requests can be taken on. None while one waits that had to give its slot back: it came before. */
    int places() {
        return ready.isEmpty() ? slots.idle() : 0;
    }

    /** Takes a request on. */
    void admit(Task task) {
        ready.addLast(task);
    }

    /** Ends what was cancelled or is overdue. */
    void sweep() {
        long now = System.nanoTime();
        for (int i = running.size() - 1; i >= 0; i--) {
            FinishReason reason = running.get(i).task.ended(now);
            if (reason != null) {
                finish(running.get(i), reason);
            }
        }
        for (Iterator<Task> tasks = ready.iterator(); tasks.hasNext(); ) {
            Task task = tasks.next();
            FinishReason reason = task.ended(now);
            if (reason != null) {
                tasks.remove();
                crowded = false;
                task.finish(reason);
            }
        }
    }

    /** Ends everything. */
    void end(FinishReason reason) {
        while (!running.isEmpty()) {
            finish(running.get(0), reason);
        }
        while (!ready.isEmpty()) {
            ready.removeFirst().finish(reason);
        }
    }

    void fail(RuntimeException cause) {
        while (!running.isEmpty()) {
            release(running.get(0)).fail(cause);
        }
        while (!ready.isEmpty()) {
            ready.removeFirst().fail(cause);
        }
    }

    private void finish(Slot slot, FinishReason reason) {
        release(slot).finish(reason);
    }

    private Task release(Slot slot) {
        Task task = slot.task;
        running.remove(slot);
        slot.task = null;
        crowded = false;
        count();
        return task;
    }

    private void count() {
        runningCount = running.size();
        readyCount = ready.size();
        cachedTokens = slots.cachedTokens();
    }

    /** Computes one batch. */
    void step() {
        placeReady();
        chooseTurn();
        if (turn.isEmpty()) {
            count();
            return;
        }
        fill();
        step++;
        if (compute()) {
            steps.increment();
            withoutDrafts = false;
            for (Slot slot : turn) {
                if (slot.added > 0) {
                    slot.usedAt = step;
                    advance(slot);
                }
            }
        }
        count();
    }

    /** A request that there was no room for tries again when another one has left, or it would fail for the same reason. */
    private void placeReady() {
        while (!ready.isEmpty() && (!crowded || running.isEmpty()) && slots.idle() > 0) {
            Task task = ready.getFirst(); // removed when it is safe elsewhere
            boolean first = !task.hasBegun();
            try {
                task.begin(context.model());
            } catch (RuntimeException e) {
                ready.removeFirst();
                task.fail(e); // a malformed grammar
                continue;
            }
            if (task.request.maxTokens == 0) {
                ready.removeFirst();
                task.finish(FinishReason.MAX_TOKENS);
                continue;
            }
            Slot slot = slots.place(task);
            slot.usedAt = step;
            running.add(slot);
            ready.removeFirst();
            if (first) {
                reusedTokens.add(slot.cached.size());
            }
        }
    }

    /** The running slots that can be computed together: those with the adapters of the one that waited the longest. */
    private void chooseTurn() {
        turn.clear();
        Slot first = null;
        for (Slot slot : running) {
            if (first == null || slot.usedAt < first.usedAt) {
                first = slot;
            }
        }
        if (first == null) {
            return;
        }
        Map<LoraAdapter, Float> lora = first.lora;
        for (Slot slot : running) {
            if (slot.lora == lora || slot.lora.equals(lora)) {
                turn.add(slot);
            }
        }
        if (lora.equals(loraInUse)) {
            return;
        }
        loraInUse = null;
        try {
            context.setLora(lora);
            loraInUse = lora;
        } catch (RuntimeException e) {
            for (Slot slot : turn) {
                release(slot).fail(e); // an adapter that was closed; the others go on
            }
            turn.clear();
        }
    }

    private void fill() {
        batch.clear();
        answers.clear();
        prompts.clear();
        for (Slot slot : turn) {
            slot.drafts = NO_DRAFTS;
            slot.added = 0;
            (slot.pending() == 1 ? answers : prompts).add(slot);
        }
        addAnswers();
        addPrompts();
    }

    private void addAnswers() {
        int spare = batch.capacity() - answers.size();
        int guesses = prompts.isEmpty() ? spare : Math.max(0, spare - chunk);
        for (Slot slot : answers) {
            slot.drafts = drafts(slot, Math.min(guesses, chunk / answers.size()));
            guesses -= slot.drafts.length;
            slot.first = batch.size();
            int position = slot.cached.size();
            batch.add(slot.task.tokens.get(position), position, slot.sequence, true);
            for (int draft : slot.drafts) {
                batch.add(draft, ++position, slot.sequence, true);
            }
            slot.added = 1 + slot.drafts.length;
        }
    }

    private void addPrompts() {
        int room = Math.min(chunk, batch.capacity() - batch.size());
        if (prompts.size() > room) {
            prompts.sort(LONGEST_AGO); // not all can take part: in turns
            prompts.subList(room, prompts.size()).clear();
        }
        prompts.sort(Comparator.comparingInt(Slot::pending)); // what the short ones leave goes to the long ones
        for (int i = 0; i < prompts.size(); i++) {
            Slot slot = prompts.get(i);
            int count = Math.min(slot.pending(), room / (prompts.size() - i));
            room -= count;
            slot.first = batch.size();
            slot.added = count;
            int position = slot.cached.size();
            int last = slot.task.tokens.size() - 1;
            for (int end = position + count; position < end; position++) {
                batch.add(slot.task.tokens.get(position), position, slot.sequence, position == last);
            }
        }
    }

    private int[] drafts(Slot slot, int most) {
        if (drafter == null || withoutDrafts) {
            return NO_DRAFTS;
        }
        Task task = slot.task;
        // A guess that is right yields a token, and so does the place after the last one.
        int wanted =
                Math.min(task.request.maxTokens - task.generated() - 1, context.sequenceLength() - task.tokens.size());
        int room = Math.min(most, wanted);
        return room <= 0 ? NO_DRAFTS : drafter.draft(slot.sequence, task.tokens, room);
    }

    /** Returns whether the batch was computed; else there is room now for another attempt, or its requests have failed. */
    private boolean compute() {
        try {
            context.decode(batch);
            return true;
        } catch (DecodeException e) {
            if (e.status() == NO_ROOM) {
                makeRoom(e);
            } else {
                failBatch(e);
            }
        } catch (RuntimeException e) {
            failBatch(e);
        }
        return false;
    }

    private void makeRoom(DecodeException cause) {
        if (slots.evict()) {
            return;
        }
        for (Slot slot : turn) {
            if (slot.drafts.length > 0) {
                withoutDrafts = true;
                return;
            }
        }
        Slot last = running.get(running.size() - 1);
        Task task = release(last);
        if (!running.isEmpty()) {
            ready.addFirst(task);
            crowded = true;
        } else if (task.generated() > 0) {
            task.finish(FinishReason.CONTEXT_FULL);
        } else {
            task.fail(new ContextFullException(cause.getMessage()));
        }
        slots.cut(last, 0);
    }

    private void failBatch(RuntimeException cause) {
        for (Slot slot : turn) {
            if (slot.added > 0) {
                release(slot).fail(cause);
                slots.cut(slot, 0);
            }
        }
    }

    /** Takes what the batch put out for a slot. */
    private void advance(Slot slot) {
        Task task = slot.task;
        int before = slot.cached.size();
        int known = slot.added - slot.drafts.length;
        if (slot.pending() > 1 || task.generated() == 0) {
            promptTokens.add(known);
        }
        slot.cached.append(task.tokens, before, before + known);
        if (slot.pending() > 0) {
            return; // there is more of the prompt
        }
        try {
            FinishReason reason = choose(slot, task, slot.first + known - 1);
            if (reason != null) {
                finish(slot, reason);
            }
        } catch (RuntimeException e) {
            release(slot).fail(e); // a grammar at a dead end
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
