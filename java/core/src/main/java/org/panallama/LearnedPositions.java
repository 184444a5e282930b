package org.panallama;

import java.util.Set;
import org.panallama.internal.GgufFile;

/** Models that look positions up in a table, as RoPE models do not: llama.cpp ends the process behind the table's end. */
final class LearnedPositions {

    private static final Set<String> ALWAYS = Set.of("bert", "gpt2", "starcoder");
    private static final Set<String> SOMETIMES = Set.of("mpt");

    private LearnedPositions() {}

    /** How many positions the model has, {@link Integer#MAX_VALUE} for no such limit. */
    static int count(Model model) {
        String architecture = model.architecture();
        boolean table = ALWAYS.contains(architecture)
                || (SOMETIMES.contains(architecture)
                        && GgufFile.read(model.file())
                                .tensor("position_embd.weight")
                                .isPresent());
        return table ? model.trainContextLength() : Integer.MAX_VALUE;
    }
}
