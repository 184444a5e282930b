package org.panallama.tools.perplexity;

import java.io.IOException;

/** What is made of each row of logits: {@code prepare} and {@code collect} in the text's order, {@code score} in parallel. */
interface RowScoring {

    /** Before the row is scored. */
    default void prepare(LogitRow row) throws IOException {}

    /** Any thread, several rows at once. */
    void score(LogitRow row);

    /** After the row was scored. */
    void collect(LogitRow row) throws IOException;
}
