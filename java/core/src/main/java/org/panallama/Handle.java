package org.panallama;

import java.lang.ref.Cleaner;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of one native object: who is inside, what hangs on it, when it may be freed.
 *
 * <p>Every native call stands between {@link #enter()} and {@link #exit()}. A shared handle lets any number of threads in; an
 * exclusive one lets one thread in, which may enter again from a callback. {@code close} refuses new callers, waits for the
 * ones inside, closes the children and frees. Nothing here allocates on the way in or out.
 */
final class Handle {

    private static final Logger LOG = LoggerFactory.getLogger(Handle.class);
    /** The one thread that frees what was forgotten; also for objects that are freed by it alone. */
    static final Cleaner CLEANER = Cleaner.create();

    private final Lifetime lifetime;
    private final Cleaner.Cleanable cleanable;

    /**
     * @param owner the public object; when it becomes unreachable, the native object is freed with a warning
     * @param parent closes this handle with itself
     * @param free must not refer to {@code owner}
     */
    Handle(Object owner, String name, long address, boolean exclusive, @Nullable Handle parent, LongConsumer free) {
        lifetime = new Lifetime(name, address, exclusive, parent == null ? null : parent.lifetime, free);
        if (parent != null && !parent.lifetime.adopt(lifetime)) {
            free.accept(address);
            throw new IllegalStateException(parent.lifetime.name + " is closed");
        }
        cleanable = CLEANER.register(owner, lifetime);
    }

    /** The native address, for use until {@link #exit()}. */
    long enter() {
        return lifetime.enter();
    }

    void exit() {
        lifetime.exit();
    }

    boolean isClosed() {
        return lifetime.closing;
    }

    void close() {
        lifetime.close();
        cleanable.clean();
    }

    @Override
    public String toString() {
        return lifetime.name;
    }

    /** Apart from the handle, so that the cleaner does not keep the owner reachable. */
    private static final class Lifetime implements Runnable {

        private final String name;
        private final long address;
        private final boolean exclusive;
        private final @Nullable Lifetime parent;
        private final LongConsumer free;
        private final Set<Lifetime> children = new HashSet<>();
        private final AtomicReference<@Nullable Thread> inside = new AtomicReference<>();
        private int depth; // of the thread inside an exclusive handle
        private final AtomicInteger users = new AtomicInteger();
        private volatile boolean closing;
        private final Object closeLock = new Object();
        private boolean freed; // guarded by closeLock

        Lifetime(String name, long address, boolean exclusive, @Nullable Lifetime parent, LongConsumer free) {
            this.name = name;
            this.address = address;
            this.exclusive = exclusive;
            this.parent = parent;
            this.free = free;
        }

        boolean adopt(Lifetime child) {
            synchronized (children) {
                return !closing && children.add(child);
            }
        }

        long enter() {
            if (exclusive) {
                Thread current = Thread.currentThread();
                if (inside.get() == current) {
                    depth++;
                    return address;
                }
                Thread other = inside.compareAndExchange(null, current);
                if (other != null) {
                    throw new IllegalStateException(
                            closing
                                    ? name + " is closed"
                                    : name + " is in use by thread '" + other.getName() + "'; it serves one thread at a"
                                            + " time, so give each thread its own or hand it over between calls");
                }
                depth = 1;
            } else {
                users.incrementAndGet();
            }
            if (closing) {
                exit();
                throw new IllegalStateException(name + " is closed");
            }
            return address;
        }

        void exit() {
            boolean empty;
            if (exclusive) {
                empty = --depth == 0;
                if (empty) {
                    inside.set(null);
                }
            } else {
                empty = users.decrementAndGet() == 0;
            }
            if (empty && closing) {
                synchronized (this) {
                    notifyAll();
                }
            }
        }

        void close() {
            if (holdsCurrentThread()) {
                throw new IllegalStateException(name + " cannot be closed from inside one of its own calls");
            }
            closing = true;
            synchronized (closeLock) {
                if (freed) {
                    return;
                }
                awaitCallers();
                for (Lifetime child : takeChildren()) {
                    child.close();
                }
                freed = true;
                free.accept(address);
                // Only now: a parent that is closed meanwhile has to wait, and be freed later.
                if (parent != null) {
                    parent.forget(this);
                }
            }
        }

        private boolean holdsCurrentThread() {
            if (exclusive && inside.get() == Thread.currentThread()) {
                return true;
            }
            synchronized (children) {
                return children.stream().anyMatch(Lifetime::holdsCurrentThread);
            }
        }

        private synchronized void awaitCallers() {
            boolean interrupted = false;
            while (exclusive ? inside.get() != null : users.get() != 0) {
                try {
                    wait(100); // a caller that was leaving when `closing` was set may not have seen it, and not notify
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        private List<Lifetime> takeChildren() {
            synchronized (children) {
                List<Lifetime> all = List.copyOf(children);
                children.clear();
                return all;
            }
        }

        private void forget(Lifetime child) {
            synchronized (children) {
                children.remove(child);
            }
        }

        /** By the cleaner: the owner is unreachable. */
        @Override
        public void run() {
            synchronized (closeLock) {
                if (freed) {
                    return;
                }
            }
            LOG.warn("{} was never closed; freeing it now. Use try-with-resources, or call close().", name);
            close();
        }
    }
}
