package org.panallama.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.panallama.ModelLoadException;

/**
 * Refuses vocabularies with which llama.cpp would fail an assertion, loop for ever, or throw through its C interface,
 * while it loads the model or later while it tokenizes.
 */
final class VocabRules {
    static final String MODEL_KEY = "tokenizer.ggml.model";

    private static final String TOKENS_KEY = "tokenizer.ggml.tokens";
    private static final Set<String> BYTE_PAIR = Set.of("gpt2", "gemma4", "hybriddna", "whitespace");
    private static final Set<String> OTHERS = Set.of("llama", "bert", "t5", "rwkv", "plamo2");
    private static final int MAX_TOKENS = 1 << 24;
    private static final int BYTE_TOKEN = 6;

    private final GgufFile file;
    private final String model;
    private GgufValue tokens;
    private Map<ByteBuffer, Integer> ids;

    private VocabRules(GgufFile file, String model) {
        this.file = file;
        this.model = model;
    }

    /** Checks the vocabulary of a model. */
    static void check(GgufFile file) {
        for (Map.Entry<String, GgufValue> entry : file.metadata().entrySet()) {
            if (entry.getValue().is(GgufType.STRING) && entry.getValue().hasNul(0)) {
                throw new ModelLoadException(
                        file.path(), "metadata key '" + entry.getKey() + "' holds a NUL character");
            }
        }
        String model = file.string(MODEL_KEY)
                .orElseThrow(() -> new ModelLoadException(
                        file.path(), "metadata key '" + MODEL_KEY + "' is missing; the file has no vocabulary"));
        new VocabRules(file, model).check();
    }

    private void check() {
        if (model.equals("none") || model.equals("no_vocab")) {
            GgufValue size = file.metadata().get(file.architecture().orElseThrow() + ".vocab_size");
            if (size != null && size.is(GgufType.UINT32) && size.integer(0) > MAX_TOKENS) {
                throw refused(
                        "the vocabulary size is " + size.integer(0) + ", at most " + MAX_TOKENS + " are supported");
            }
            return;
        }
        if (!BYTE_PAIR.contains(model) && !OTHERS.contains(model)) {
            throw refused(MODEL_KEY + " is '" + model + "'; llama.cpp v0.4.0 knows "
                    + "llama, gpt2, bert, t5, rwkv, plamo2, gemma4, hybriddna, whitespace and none");
        }
        tokens = file.metadata().get(TOKENS_KEY);
        if (tokens == null || !tokens.isArrayOf(GgufType.STRING)) {
            throw refused(
                    TOKENS_KEY + (tokens == null ? " is missing" : " is " + tokens + ", not an array of strings"));
        }
        if (tokens.length() == 0 || tokens.length() > MAX_TOKENS) {
            throw refused(TOKENS_KEY + " holds " + tokens.length() + " tokens");
        }
        indexTokens();
        checkScores();
        checkTypes();
        checkAddedTokens();
        switch (model) {
            case "llama" -> checkByteFallback();
            case "rwkv" -> checkSingleBytes();
            case "t5" -> PrecompiledCharsmap.check(file);
            default -> {}
        }
    }

    /** llama.cpp asserts that all tokens differ, as C strings, where it writes [EMPTY_i] for empty ones. */
    private void indexTokens() {
        ids = new HashMap<>(2 * tokens.length());
        for (int i = 0; i < tokens.length(); i++) {
            ByteBuffer text = tokens.cString(i);
            if (!text.hasRemaining()) {
                text = ByteBuffer.wrap(("[EMPTY_" + i + "]").getBytes(StandardCharsets.US_ASCII));
            }
            Integer earlier = ids.putIfAbsent(text, i);
            if (earlier != null) {
                throw refused(
                        "tokens " + earlier + " and " + i + " of the vocabulary are both '" + tokens.string(i) + "'");
            }
        }
    }

    private void checkScores() {
        GgufValue scores = perToken("tokenizer.ggml.scores", GgufType.FLOAT32, GgufType.INT32);
        for (int i = 0; scores != null && i < tokens.length(); i++) {
            if (Double.isNaN(scores.number(i))) {
                throw refused("the score of token " + i + " is NaN");
            }
        }
    }

    private void checkTypes() {
        GgufValue types = perToken("tokenizer.ggml.token_type", GgufType.INT32, GgufType.INT32);
        for (int i = 0; types != null && i < tokens.length(); i++) {
            if (types.integer(i) == BYTE_TOKEN
                    && (model.equals("bert") || tokens.cString(i).remaining() < 3)) {
                throw refused("token " + i + " '" + tokens.string(i) + "' is marked as a byte, which its text is not");
            }
        }
    }

    private @Nullable GgufValue perToken(String key, GgufType type, GgufType otherType) {
        GgufValue value = file.metadata().get(key);
        if (value == null) {
            return null;
        }
        if (!value.isArrayOf(type) && !value.isArrayOf(otherType)) {
            throw refused(key + " is " + value + ", not an array of " + type);
        }
        if (value.length() < tokens.length()) {
            throw refused(key + " has " + value.length() + " elements for " + tokens.length() + " tokens");
        }
        return value;
    }

    /** Tokens that are to be added to every text must exist. */
    private void checkAddedTokens() {
        boolean llama = model.equals("llama");
        boolean bert = model.equals("bert");
        boolean bytePair = BYTE_PAIR.contains(model) && !model.equals("gemma4");
        String pre = file.string("tokenizer.ggml.pre").orElse("");
        long bos = llama || model.equals("plamo2") ? 1 : bert ? 101 : bytePair && !pre.startsWith("chatglm") ? 11 : -1;
        long eos = llama || model.equals("plamo2") ? 2 : bytePair ? 11 : model.equals("t5") ? 1 : -1;
        requireAdded("bos", bos, llama || bert || model.equals("gemma4"));
        requireAdded("eos", eos, model.equals("t5"));
        requireAdded("seperator", bert ? 102 : -1, bert);
    }

    private void requireAdded(String token, long byDefault, boolean addedByDefault) {
        String flag = token.equals("seperator") ? "sep" : token;
        boolean added = file.bool("tokenizer.ggml.add_" + flag + "_token").orElse(addedByDefault);
        long given = file.integer("tokenizer.ggml." + token + "_token_id").orElse(-1);
        boolean exists = inRange(given) || inRange(byDefault);
        if (added && !exists) {
            throw refused("every text shall get a " + flag.toUpperCase(Locale.ROOT)
                    + " token, but tokenizer.ggml." + token + "_token_id does not name one of the " + tokens.length()
                    + " tokens");
        }
    }

    private boolean inRange(long id) {
        return id >= 0 && id < tokens.length();
    }

    /** SentencePiece falls back on byte tokens; llama.cpp throws through its C interface where one is missing. */
    private void checkByteFallback() {
        for (int b = 0; b < 256; b++) {
            ByteBuffer named =
                    ByteBuffer.wrap(String.format(Locale.ROOT, "<0x%02X>", b).getBytes(StandardCharsets.US_ASCII));
            if (!ids.containsKey(named) && !ids.containsKey(ByteBuffer.wrap(new byte[] {(byte) b}))) {
                throw refused("the vocabulary has no token for the byte " + String.format(Locale.ROOT, "<0x%02X>", b)
                        + ", so not every text could be tokenized");
            }
        }
    }

    /** The RWKV tokenizer never advances at a byte that begins tokens but is none. */
    private void checkSingleBytes() {
        BitSet first = new BitSet(256);
        BitSet single = new BitSet(256);
        for (int i = 0; i < tokens.length(); i++) {
            byte[] text = RwkvEscapes.decode(tokens.cString(i));
            if (text.length > 0) {
                first.set(text[0] & 0xFF);
            }
            if (text.length == 1) {
                single.set(text[0] & 0xFF);
            }
        }
        first.andNot(single);
        if (!first.isEmpty()) {
            throw refused("the vocabulary has tokens that begin with the byte " + first.nextSetBit(0)
                    + ", but none for that byte alone");
        }
    }

    private ModelLoadException refused(String why) {
        return new ModelLoadException(file.path(), why);
    }
}
