package org.panallama.internal;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import org.panallama.ModelLoadException;

/**
 * Checks the normalization table of a unigram vocabulary: a trie of input prefixes, packed as a double array of 32-bit
 * nodes, and the texts to replace them by. llama.cpp throws through its C interface where the trie leads outside.
 */
final class PrecompiledCharsmap {
    private static final String KEY = "tokenizer.ggml.precompiled_charsmap";
    private static final long LABEL = 1L << 31 | 0xFF;

    private final GgufFile file;
    private final GgufValue bytes;
    private final int nodes;
    private final int texts;

    private PrecompiledCharsmap(GgufFile file, GgufValue bytes) {
        this.file = file;
        this.bytes = bytes;
        long trieBytes = bytes.length() < Integer.BYTES ? Long.MAX_VALUE : word(0);
        if (trieBytes >= bytes.length() - Integer.BYTES) {
            throw damaged();
        }
        this.nodes = (int) trieBytes / Integer.BYTES;
        this.texts = Integer.BYTES + (int) trieBytes;
    }

    /** Checks the table of a vocabulary, if it has one. */
    static void check(GgufFile file) {
        GgufValue bytes = file.metadata().get(KEY);
        if (bytes == null) {
            return;
        }
        if (!bytes.isArrayOf(GgufType.UINT8) && !bytes.isArrayOf(GgufType.INT8)) {
            throw new ModelLoadException(file.path(), KEY + " is " + bytes + ", not an array of bytes");
        }
        new PrecompiledCharsmap(file, bytes).walk();
    }

    private void walk() {
        if (nodes == 0) {
            return;
        }
        BitSet seen = new BitSet(nodes);
        Deque<Integer> pending = new ArrayDeque<>();
        pending.add((int) children(node(0)));
        while (!pending.isEmpty()) {
            int base = pending.remove();
            for (int label = 1; label < 256; label++) {
                long child = base ^ label;
                long packed = node(child);
                if ((packed & LABEL) != label || seen.get((int) child)) {
                    continue;
                }
                seen.set((int) child);
                long next = child ^ children(packed);
                if ((packed >> 8 & 1) != 0) {
                    checkText(node(next) & Integer.MAX_VALUE);
                }
                if (next >= nodes) {
                    throw damaged();
                }
                pending.add((int) next);
            }
        }
    }

    private static long children(long packed) {
        return (packed >> 10) << ((packed & 1 << 9) >> 6) & 0xFFFF_FFFFL;
    }

    private void checkText(long offset) {
        for (long i = texts + offset; i < bytes.length(); i++) {
            if (bytes.integer((int) i) == 0) {
                return;
            }
        }
        throw damaged();
    }

    private long node(long index) {
        if (index >= nodes) {
            throw damaged();
        }
        return word(Integer.BYTES * (1 + (int) index));
    }

    private long word(int at) {
        long word = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            word |= (bytes.integer(at + i) & 0xFF) << (8 * i);
        }
        return word;
    }

    private ModelLoadException damaged() {
        return new ModelLoadException(file.path(), "the file is damaged: " + KEY + " leads outside of itself");
    }
}
