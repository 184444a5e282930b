package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.panallama.spi.BindingUnderTest.BINDING;
import static org.panallama.spi.BindingUnderTest.loadModel;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.panallama.GrammarException;
import org.panallama.fuzz.RandomGrammar;
import org.panallama.internal.GrammarCheck;
import org.panallama.internal.GrammarState;

/** The checks of grammars in Java are of the same opinion as llama.cpp about each token of the vocabulary. */
@Tag("native")
class GrammarContractTest {

    private static final int ENTRY_BYTES = 12;
    private static final int STEPS = 6;

    private static long model;
    private static long vocab;
    private static byte[][] pieces;
    private static long candidates;

    @BeforeAll
    static void load() {
        model = loadModel();
        vocab = BINDING.modelVocab(model);
        pieces = new byte[BINDING.vocabSize(vocab)][];
        for (int token = 0; token < pieces.length; token++) {
            pieces[token] = BINDING.tokenToPiece(vocab, token, true);
        }
        candidates = BINDING.candidatesNew(pieces.length);
    }

    @AfterAll
    static void unload() {
        BINDING.candidatesFree(candidates);
        BINDING.modelFree(model);
    }

    @Test
    void allowsWhatLlamaAllows() {
        int first = Integer.getInteger("panallama.fuzz.first", 0);
        int accepted = 0;
        int steps = 0;
        for (int seed = first; seed < first + Integer.getInteger("panallama.fuzz.cases", 300); seed++) {
            String grammar = RandomGrammar.of(seed, false);
            GrammarState state;
            try {
                state = GrammarCheck.check(grammar, "root", text -> -1);
            } catch (GrammarException e) {
                continue;
            }
            accepted++;
            long sampler = BINDING.samplerGrammar(vocab, grammar, "root");
            assertThat(sampler).as("llama.cpp takes %s", grammar).isNotZero();
            try {
                steps += follow(grammar, state, sampler, new Random(seed));
            } finally {
                BINDING.samplerFree(sampler);
            }
        }
        assertThat(accepted).isGreaterThan(100);
        assertThat(steps).isGreaterThan(300);
    }

    /** Goes on with tokens by chance, and returns how far that went. */
    private static int follow(String grammar, GrammarState start, long sampler, Random random) {
        GrammarState state = start;
        for (int step = 0; step < STEPS; step++) {
            List<Integer> expected;
            try {
                expected = allowed(state);
            } catch (GrammarException e) {
                return step; // too ambiguous for some token
            }
            List<Integer> allowed = allowed(sampler);
            assertThat(allowed).as("tokens after %s of %s", step, grammar).isEqualTo(expected);
            allowed.removeIf(token -> BINDING.vocabIsEndOfGeneration(vocab, token));
            if (allowed.isEmpty()) {
                return step;
            }
            int token = allowed.get(random.nextInt(allowed.size()));
            BINDING.samplerAccept(sampler, token);
            state = state.after(token, pieces[token]);
        }
        return STEPS;
    }

    private static List<Integer> allowed(GrammarState state) {
        List<Integer> allowed = new ArrayList<>();
        for (int token = 0; token < pieces.length; token++) {
            if (BINDING.vocabIsEndOfGeneration(vocab, token)
                    ? state.mayEnd()
                    : state.after(token, pieces[token]) != null) {
                allowed.add(token);
            }
        }
        return allowed;
    }

    private static List<Integer> allowed(long sampler) {
        BINDING.candidatesReset(candidates, pieces.length);
        ByteBuffer entries = BINDING.view(BINDING.candidatesData(candidates), pieces.length * ENTRY_BYTES);
        for (int token = 0; token < pieces.length; token++) {
            entries.putInt(token * ENTRY_BYTES, token);
            entries.putFloat(token * ENTRY_BYTES + 4, 0);
        }
        BINDING.samplerApply(sampler, candidates);
        List<Integer> allowed = new ArrayList<>();
        for (int token = 0; token < pieces.length; token++) {
            if (entries.getFloat(token * ENTRY_BYTES + 4) == 0) {
                allowed.add(token);
            }
        }
        return allowed;
    }
}
