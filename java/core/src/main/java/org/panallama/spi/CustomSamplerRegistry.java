package org.panallama.spi;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The samplers that are written in Java, by the number that a native sampler has for its {@code ctx}. A binding's callbacks come
 * in here; no exception leaves. For any number of threads.
 *
 * @param <N> the binding's memory of a name, kept as long as the registration: llama.cpp keeps what its name function returns
 */
public final class CustomSamplerRegistry<N> {

    private record Registration<N>(CustomSamplerCalls calls, String text, N name) {}

    private final Map<Long, Registration<N>> registrations = new ConcurrentHashMap<>();
    private final AtomicLong lastNumber = new AtomicLong();

    /** For one binding. */
    public CustomSamplerRegistry() {}

    /**
     * Registers a sampler, and returns its number.
     *
     * @param text the sampler's name
     * @param name the same as C reads it
     */
    public long register(CustomSamplerCalls calls, String text, N name) {
        return register(new Registration<>(calls, text, name));
    }

    private long register(Registration<N> registration) {
        long number = lastNumber.incrementAndGet();
        registrations.put(number, registration);
        return number;
    }

    /** The memory that {@link #register} was given. */
    public N name(long number) {
        return registrations.get(number).name;
    }

    /** {@link CustomSamplerCalls#accept}. */
    public void accept(long number, int token) {
        try {
            registrations.get(number).calls.accept(token);
        } catch (Throwable e) {
            Upcalls.report("custom sampler's accept", e);
        }
    }

    /** {@link CustomSamplerCalls#apply}. */
    public void apply(long number, long candidates) {
        try {
            registrations.get(number).calls.apply(candidates);
        } catch (Throwable e) {
            Upcalls.report("custom sampler's apply", e);
        }
    }

    /** {@link CustomSamplerCalls#reset}. */
    public void reset(long number) {
        try {
            registrations.get(number).calls.reset();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's reset", e);
        }
    }

    /**
     * Registers a copy, and returns its number. llama.cpp takes no null for an answer; where the copy fails, the clone leaves
     * the candidates as they are.
     */
    public long copy(long number) {
        Registration<N> original = registrations.get(number);
        CustomSamplerCalls copy;
        try {
            copy = original.calls.copy();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's copy", e);
            copy = new PassThrough(original.text);
        }
        return register(new Registration<>(copy, original.text, original.name));
    }

    /** The native sampler is gone. */
    public void free(long number) {
        try {
            registrations.remove(number).calls.freed();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's freed", e);
        }
    }

    /** Stands in for a sampler that could not be copied. */
    private record PassThrough(String name) implements CustomSamplerCalls {

        @Override
        public void accept(int token) {}

        @Override
        public void apply(long candidates) {}

        @Override
        public void reset() {}

        @Override
        public CustomSamplerCalls copy() {
            return this;
        }

        @Override
        public void freed() {}
    }
}
