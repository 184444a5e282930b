package org.panallama.cli;

import org.jspecify.annotations.Nullable;

/** Where the user's messages come from. A line that ends in a backslash goes on in the next one. */
interface ChatInput extends AutoCloseable {

    String CONTINUED = "\\";

    /** The next message, {@code null} at the end. */
    @Nullable String next();

    /** What Ctrl-C does while an answer comes, where it is typed to this input. */
    void onInterrupt(Runnable action);

    @Override
    void close();
}
