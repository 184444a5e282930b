package org.panallama.server;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** The answers that an engine has been asked for and that have not ended, in the order in which it takes them. Thread-safe. */
final class RequestLog {

    private final Set<Entry> entries = new LinkedHashSet<>(); // guarded by this

    /** An answer on its way. */
    static final class Entry {

        final String id;
        final int promptTokens;
        final long since = System.nanoTime();
        final AtomicInteger pieces = new AtomicInteger();

        private Entry(String id, int promptTokens) {
            this.id = id;
            this.promptTokens = promptTokens;
        }
    }

    synchronized Entry add(String id, int promptTokens) {
        Entry entry = new Entry(id, promptTokens);
        entries.add(entry);
        return entry;
    }

    synchronized void remove(Entry entry) {
        entries.remove(entry);
    }

    synchronized List<Entry> entries() {
        return new ArrayList<>(entries);
    }
}
