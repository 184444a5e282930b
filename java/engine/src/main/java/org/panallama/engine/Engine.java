package org.panallama.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.panallama.Context;
import org.panallama.ContextFullException;
import org.panallama.ContextOptions;
import org.panallama.FinishReason;
import org.panallama.LlamaException;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.internal.Require;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Computes many requests at once over one context (continuous batching, Yu et al. 2022, "Orca"): each step advances every running
 * answer by a token and computes a part of the prompts that wait. A prompt begins where an earlier one had the same beginning,
 * between the turns of a conversation as between requests.
 *
 * <p>Thread-safe. Requests wait in a queue of bounded length, first come, first served; a cancelled, overdue or failed one does not
 * touch the others.
 */
public final class Engine implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    private final Context context;
    private final Scheduler scheduler;
    private final Executor executor;
    private final int queueLength;
    private final long capacity; // the most requests: one in each slot, and as many as may wait
    private final Thread thread;
    private final List<Task> taken = new ArrayList<>(); // on its way to the scheduler
    private final ReentrantLock lock = new ReentrantLock(true); // so that submitters wait in order
    private final Condition changed = lock.newCondition();
    private final Deque<Task> waiting = new ArrayDeque<>(); // guarded by lock
    private int held; // guarded by lock; requests that were taken and have not ended
    private boolean draining; // guarded by lock
    private boolean closing; // guarded by lock
    private @Nullable Throwable death; // guarded by lock

    private Engine(Builder builder) {
        context = builder.context;
        executor = builder.executor;
        queueLength = builder.queue;
        capacity = (long) queueLength + context.sequences();
        scheduler = new Scheduler(context, builder.drafter(), builder.chunk);
        thread = new Thread(this::run, "panallama-engine");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * An engine for a model, with a context that its requests share.
     *
     * @param parallel requests that are computed at once
     * @param length tokens that fit into the context, of all requests together
     */
    public static Engine open(Model model, int parallel, int length) {
        return builder(model.newContext(ContextOptions.builder()
                        .sequences(parallel)
                        .sharedCache(true)
                        .length(length)
                        .build()))
                .build();
    }

    /**
     * A builder of an engine over a context, which the engine takes over and closes. Each of its sequences computes one request;
     * with {@linkplain ContextOptions.Builder#sharedCache a shared cache} they share beginnings, too.
     */
    public static Builder builder(Context context) {
        return new Builder(context);
    }

    /**
     * Submits a request. Where this throws, the request was not taken: it can be submitted again, and its sampler is still the
     * caller's.
     *
     * @throws QueueFullException if all that can be computed at once are, and as many more wait as {@link Builder#queue} lets
     * @throws ContextFullException if the prompt is longer than the context
     * @throws IllegalArgumentException if the prompt has tokens that the model does not, or an adapter is another model's
     * @throws IllegalStateException if the engine is closed or draining, or the request was submitted before
     */
    public Completion submit(EngineRequest request) {
        try {
            return submit(request, 0);
        } catch (InterruptedException e) {
            throw new AssertionError("nothing was waited for", e);
        }
    }

    /**
     * Submits a request, waiting for a place in the queue.
     *
     * @param patience how long to wait
     * @throws QueueFullException if there was no place in that time
     * @throws InterruptedException if the thread is interrupted while it waits
     * @see #submit(EngineRequest)
     */
    public Completion submit(EngineRequest request, Duration patience) throws InterruptedException {
        return submit(request, Nanos.of(patience));
    }

    private Completion submit(EngineRequest request, long nanos) throws InterruptedException {
        check(request);
        if (!request.take()) {
            throw new IllegalStateException(
                    "the request was submitted before: build another one, with its own sampler");
        }
        boolean queued = false;
        try {
            Completion completion = enqueue(request, nanos);
            queued = true;
            return completion;
        } finally {
            if (!queued) {
                request.giveBack();
            }
        }
    }

    private Completion enqueue(EngineRequest request, long nanos) throws InterruptedException {
        Task task = new Task(
                request, new Completion(executor, this::wake), context.model().vocab(), this::freePlace);
        lock.lock();
        try {
            long left = nanos;
            while (true) {
                checkOpen();
                if (held < capacity) {
                    break;
                }
                if (left <= 0) {
                    throw new QueueFullException(queueLength);
                }
                left = changed.awaitNanos(left);
            }
            held++;
            waiting.addLast(task);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        return task.completion;
    }

    private void check(EngineRequest request) {
        int size = context.model().vocab().size();
        for (int token : request.prompt) {
            Objects.checkIndex(token, size);
        }
        if (request.prompt.length > context.sequenceLength()) {
            throw new ContextFullException("The prompt has " + request.prompt.length + " tokens, the context holds "
                    + context.sequenceLength() + ". Shorten it, or open the engine with a longer context.");
        }
        for (LoraAdapter adapter : request.lora.keySet()) {
            if (adapter.model() != context.model()) {
                throw new IllegalArgumentException(
                        adapter + " was loaded for " + adapter.model() + ", not for " + context.model());
            }
        }
    }

    private void checkOpen() {
        if (death != null) {
            throw new IllegalStateException("the engine has failed: " + death, death);
        }
        if (draining || closing || context.isClosed()) {
            throw new IllegalStateException("the engine is closed");
        }
    }

    /** A request has ended. The queue's length alone would not tell: it has requests in it that a slot is free for already. */
    private void freePlace() {
        lock.lock();
        try {
            held--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (takeOn()) {
                if (context.isClosed()) {
                    throw new IllegalStateException(context + " is closed, or its model is");
                }
                scheduler.sweep();
                scheduler.step();
            }
            scheduler.end(FinishReason.CANCELLED);
        } catch (RuntimeException | Error e) {
            LOG.error("The engine has failed", e);
            die(e);
        } finally {
            scheduler.close();
        }
    }

    private void die(Throwable cause) {
        lock.lock();
        try {
            death = cause;
            taken.addAll(waiting);
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        LlamaException failure = new LlamaException("The engine has failed: " + cause, cause);
        taken.forEach(task -> task.fail(failure));
        scheduler.fail(failure);
    }

    /** Takes requests on, and waits until there is work. Returns {@code false} when there will be none any more. */
    private boolean takeOn() {
        boolean goesOn = awaitWork();
        // Not under the lock, since this may compile a grammar and call others' code.
        taken.forEach(scheduler::admit);
        taken.clear();
        return goesOn;
    }

    private boolean awaitWork() {
        lock.lock();
        try {
            while (true) {
                take(scheduler.places());
                if (closing) {
                    return false;
                }
                if (!taken.isEmpty() || scheduler.hasWork()) {
                    return true;
                }
                if (draining) {
                    return false;
                }
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Takes from the queue as many as there are places, and what has ended while it waited; everything at the end. */
    private void take(int places) {
        int left = places;
        long now = System.nanoTime();
        for (Iterator<Task> tasks = waiting.iterator(); tasks.hasNext(); ) {
            Task task = tasks.next();
            boolean ended = closing || task.ended(now) != null;
            if (ended || left > 0) {
                left -= ended ? 0 : 1;
                tasks.remove();
                taken.add(task);
            }
        }
    }

    /** What the engine does and has done. */
    public EngineStats stats() {
        int queued;
        lock.lock();
        try {
            queued = waiting.size() + scheduler.readyCount;
        } finally {
            lock.unlock();
        }
        return new EngineStats(
                scheduler.runningCount,
                queued,
                context.sequences(),
                context.length(),
                scheduler.cachedTokens,
                scheduler.promptTokens.sum(),
                scheduler.reusedTokens.sum(),
                scheduler.generatedTokens.sum(),
                scheduler.draftedTokens.sum(),
                scheduler.acceptedTokens.sum(),
                scheduler.steps.sum());
    }

    /** The model that the engine computes on. */
    public Model model() {
        return context.model();
    }

    /** The most tokens that a prompt and its answer can have together. */
    public int sequenceLength() {
        return context.sequenceLength();
    }

    /**
     * Takes no more requests and lets those it has come to their end. What is not done in time is cancelled.
     *
     * @return whether all came to their end
     * @throws InterruptedException if the thread is interrupted while it waits; the engine goes on draining
     * @throws IllegalStateException on the engine's own thread
     */
    public boolean drain(Duration time) throws InterruptedException {
        checkThread();
        lock.lock();
        try {
            draining = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(1, Nanos.of(time)));
        boolean done = !thread.isAlive();
        close();
        return done;
    }

    private void checkThread() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("an engine cannot be closed on its own thread");
        }
    }

    /**
     * Cancels every request, and frees the context.
     *
     * @throws IllegalStateException on the engine's own thread, as where an executor runs what it is given on the caller's
     */
    @Override
    public void close() {
        checkThread();
        lock.lock();
        try {
            closing = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return "engine on " + context;
    }

    /** Collects what an engine needs. Not thread-safe. */
    public static final class Builder {

        private final Context context;
        private int queue = 256;
        private int chunk = 512;
        private Executor executor = ForkJoinPool.commonPool();
        private int lookup;
        private @Nullable Context draft;
        private int draftTokens;
        private double draftProbability;

        private Builder(Context context) {
            this.context = Objects.requireNonNull(context, "context");
        }

        /** Requests that may wait while as many as possible are computed, 1 or more; 256 by default. */
        public Builder queue(int requests) {
            queue = Require.inRange("queue", requests, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Tokens of prompts that are computed in one step, 1 or more; 512 by default. More makes prompts faster, less makes running
         * answers steadier.
         */
        public Builder chunk(int tokens) {
            chunk = Require.inRange("chunk", tokens, 1, Integer.MAX_VALUE);
            return this;
        }

        /** Tells futures and subscribers; the common pool by default, which also steps in where this one refuses. */
        public Builder executor(Executor value) {
            executor = Objects.requireNonNull(value, "value");
            return this;
        }

        /**
         * Guesses that a repeated phrase goes on as before, so that answers that quote their prompt come faster. The answers are the
         * same.
         *
         * @param tokens the most to guess at a time, 1 or more
         */
        public Builder lookup(int tokens) {
            lookup = Require.inRange("lookup", tokens, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Lets a smaller model guess ahead. The answers are the same.
         *
         * @param smaller a context of a model with the same vocabulary, with as many sequences; the engine takes it over and closes it
         * @param tokens the most to guess at a time, 1 or more
         * @param leastProbability guessing stops at a token that the smaller model is less sure of, 0 to 1
         */
        public Builder draft(Context smaller, int tokens, double leastProbability) {
            if (smaller.sequences() < context.sequences()) {
                throw new IllegalArgumentException("the draft context has " + smaller.sequences()
                        + " sequences, must have " + context.sequences() + " or more");
            }
            if (!(leastProbability >= 0 && leastProbability <= 1)) {
                throw new IllegalArgumentException("leastProbability is " + leastProbability + ", must be 0 to 1");
            }
            draft = smaller;
            draftTokens = Require.inRange("tokens", tokens, 1, Integer.MAX_VALUE);
            draftProbability = leastProbability;
            return this;
        }

        /**
         * The engine, running.
         *
         * @throws IllegalArgumentException if a draft model has another vocabulary, or the model generates no text from a prompt alone
         * @throws UnsupportedOperationException if guesses are asked for and the model's memory cannot take them back
         */
        public Engine build() {
            Model model = context.model();
            if (!model.hasDecoder() || model.hasEncoder() || model.isDiffusion()) {
                throw new IllegalArgumentException(
                        model + " does not generate text token by token from a prompt alone");
            }
            return new Engine(this);
        }

        private @Nullable Drafter drafter() {
            if (draft == null && lookup == 0) {
                return null;
            }
            Model model = context.model();
            if (model.isRecurrent() || model.isHybrid()) {
                throw new UnsupportedOperationException(
                        model + " cannot take a wrong guess back: its memory is a recurrent state");
            }
            return draft == null
                    ? new LookupDrafter(lookup)
                    : new ModelDrafter(draft, model.vocab(), draftTokens, draftProbability);
        }
    }
}
