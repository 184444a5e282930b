package org.panallama.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts the tokens of prompts, which a vocabulary decides. */
@State(Scope.Thread)
@AuxCounters
public class PromptTokens {

    public long tokens;
}
