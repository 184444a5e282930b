package org.panallama.tools.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufType;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.internal.WholeFile;
import org.panallama.tools.internal.JsonFile;

/** Writes a checkpoint's tokenizer as one of llama.cpp's: SentencePiece, byte-level BPE, WordPiece or unigram. */
final class TokenizerMetadata {

    private static final String PREFIX = "tokenizer.ggml.";
    private static final String SPACE = "▁";

    private final TokenizerSource source;
    private final Map<String, GgufValue> metadata;

    private TokenizerMetadata(TokenizerSource source, Map<String, GgufValue> metadata) {
        this.source = source;
        this.metadata = metadata;
    }

    static void add(TokenizerSource source, Map<String, GgufValue> metadata) {
        TokenizerMetadata tokenizer = new TokenizerMetadata(source, metadata);
        Vocabulary vocabulary = tokenizer.vocabulary();
        if (source.architecture().encoder()) {
            metadata.put(
                    PREFIX + "token_type_count",
                    GgufValue.uint32(source.config()
                            .json()
                            .sizeIfPresent("type_vocab_size")
                            .orElse(1)));
        }
        new SpecialTokens(source, vocabulary, metadata).add();
        ChatTemplates.add(source, metadata);
    }

    private Vocabulary vocabulary() {
        Path model = source.folder().resolve("tokenizer.model");
        Path unigram = source.folder().resolve("sentencepiece.bpe.model");
        TokenizerJson json = source.json();
        if (Files.exists(model)) {
            return sentencePiece(SentencePieceModel.read(model));
        }
        if (json != null) {
            return switch (json.type()) {
                case "BPE" -> json.byteLevel() ? byteLevel(json) : byteFallback(json);
                case "Unigram" -> unigram(json);
                case "WordPiece" -> wordPiece(json.vocabulary(), json);
                default ->
                    throw json.damaged(
                            "the tokenizer is of type " + json.type() + ", known are BPE, Unigram and WordPiece");
            };
        }
        if (Files.exists(unigram)) {
            return xlmRoberta(SentencePieceModel.read(unigram));
        }
        if (Files.exists(source.folder().resolve("vocab.txt"))) {
            return wordPieceFile();
        }
        throw new ConversionException(source.folder() + " has no tokenizer: tokenizer.model, tokenizer.json,"
                + " sentencepiece.bpe.model or vocab.txt is needed");
    }

    private Vocabulary sentencePiece(SentencePieceModel model) {
        Vocabulary vocabulary = new Vocabulary(source.vocabularySize());
        List<SentencePieceModel.Piece> pieces = model.pieces();
        if (pieces.size() > vocabulary.size()) {
            source.warnings()
                    .add("the tokenizer has " + pieces.size() + " tokens, those from vocab_size " + vocabulary.size()
                            + " on are left out");
        }
        for (int id = 0; id < Math.min(pieces.size(), vocabulary.size()); id++) {
            SentencePieceModel.Piece piece = pieces.get(id);
            boolean defined = piece.type() == Vocabulary.Type.USER_DEFINED;
            vocabulary.set(id, defined ? piece.text().replace(SPACE, " ") : piece.text(), piece.score(), piece.type());
        }
        new AddedTokens(source, vocabulary).addAll();
        put("model", GgufValue.string(model.unigram() ? "t5" : "llama"));
        put("pre", GgufValue.string("default"));
        vocabulary.addTo(metadata, true);
        addSpaces(model);
        return vocabulary;
    }

    private void addSpaces(SentencePieceModel model) {
        source.tokenizerConfig()
                .bool("add_prefix_space")
                .or(() -> Optional.of(model.dummyPrefix()).filter(prefix -> model.unigram() || !prefix))
                .ifPresent(prefix -> put("add_space_prefix", GgufValue.bool(prefix)));
        if (model.unigram()) {
            put("remove_extra_whitespaces", GgufValue.bool(model.removesExtraWhitespace()));
            addCharsmap(model.charsmap());
        } else if (model.charsmap().length > 0) {
            source.warnings()
                    .add("the tokenizer normalizes characters, which llama.cpp does not do for models of its kind");
        }
    }

    private void addCharsmap(byte[] map) {
        if (map.length > 0) {
            long[] bytes = new long[map.length];
            for (int i = 0; i < map.length; i++) {
                bytes[i] = map[i] & 0xFF;
            }
            put("precompiled_charsmap", GgufValue.integers(GgufType.UINT8, bytes));
        }
    }

    /** Tokens as in GPT-2: bytes written as letters. */
    private Vocabulary byteLevel(TokenizerJson json) {
        Vocabulary vocabulary = plain(json, 0);
        json.added()
                .forEach(
                        token -> new AddedTokens(source, vocabulary).add(token.id(), token.content(), token.special()));
        String pre = PreTokenizers.name(json);
        put("model", GgufValue.string("gpt2"));
        put("pre", GgufValue.string(source.architecture().encoder() && pre.equals("gpt-2") ? "roberta-bpe" : pre));
        vocabulary.addTo(metadata, false);
        put(
                "merges",
                GgufValue.strings(json.merges().stream()
                        .map(pair -> letters(pair[0]) + " " + letters(pair[1]))
                        .toList()));
        return vocabulary;
    }

    /** A space within a token, which separates tokens in a GGUF file, is written as the byte's letter. */
    private static String letters(String token) {
        return token.replace(' ', 'Ġ');
    }

    private Vocabulary plain(TokenizerJson json, float score) {
        Vocabulary vocabulary = new Vocabulary(source.vocabularySize());
        json.vocabulary().forEach((text, id) -> {
            if (id < 0 || id >= vocabulary.size()) {
                throw json.damaged("the token '" + text + "' has the id " + id + ", but config.json says vocab_size "
                        + vocabulary.size());
            }
            vocabulary.set(id, text, score, Vocabulary.Type.NORMAL);
        });
        return vocabulary;
    }

    /**
     * A SentencePiece model that was saved as merges: a token's score is the rank of the first merge that makes it, so that
     * llama.cpp merges in the same order.
     */
    private Vocabulary byteFallback(TokenizerJson json) {
        List<String[]> merges = json.merges();
        Map<String, Integer> ranks = new HashMap<>();
        for (int rank = 0; rank < merges.size(); rank++) {
            ranks.putIfAbsent(merges.get(rank)[0] + merges.get(rank)[1], rank);
        }
        Vocabulary vocabulary = plain(json, 0);
        String unknown = json.model().string("unk_token").orElse("<unk>");
        json.vocabulary()
                .forEach((text, id) -> vocabulary.set(
                        id, text, -ranks.getOrDefault(text, merges.size()), fallbackType(text, unknown)));
        json.added()
                .forEach(
                        token -> new AddedTokens(source, vocabulary).add(token.id(), token.content(), token.special()));
        put("model", GgufValue.string("llama"));
        put("pre", GgufValue.string("default"));
        vocabulary.addTo(metadata, true);
        if (!prependsSpace(json)) {
            put("add_space_prefix", GgufValue.bool(false));
        }
        return vocabulary;
    }

    private static Vocabulary.Type fallbackType(String text, String unknown) {
        if (text.equals(unknown)) {
            return Vocabulary.Type.UNKNOWN;
        }
        return text.matches("<0x[0-9A-Fa-f]{2}>") ? Vocabulary.Type.BYTE : Vocabulary.Type.NORMAL;
    }

    private static boolean prependsSpace(TokenizerJson json) {
        return json.normalizers().stream().anyMatch(step -> TokenizerJson.is(step, "Prepend"))
                || json.preTokenizers().stream()
                        .anyMatch(step -> TokenizerJson.is(step, "Metaspace")
                                && !step.string("prepend_scheme")
                                        .orElse("always")
                                        .equals("never")
                                && step.bool("add_prefix_space").orElse(true));
    }

    private Vocabulary unigram(TokenizerJson json) {
        Vocabulary vocabulary = new Vocabulary(source.vocabularySize());
        List<Map.Entry<String, Float>> pieces = json.scoredVocabulary();
        if (pieces.size() > vocabulary.size()) {
            throw json.damaged("the tokenizer has " + pieces.size() + " tokens, but config.json says vocab_size "
                    + vocabulary.size());
        }
        long unknown = json.model().integer("unk_id").orElse(-1);
        for (int id = 0; id < pieces.size(); id++) {
            Map.Entry<String, Float> piece = pieces.get(id);
            vocabulary.set(
                    id,
                    piece.getKey(),
                    piece.getValue(),
                    id == unknown ? Vocabulary.Type.UNKNOWN : Vocabulary.Type.NORMAL);
        }
        json.added()
                .forEach(
                        token -> new AddedTokens(source, vocabulary).add(token.id(), token.content(), token.special()));
        put("model", GgufValue.string("t5"));
        put("pre", GgufValue.string("default"));
        vocabulary.addTo(metadata, true);
        put("add_space_prefix", GgufValue.bool(prependsSpace(json)));
        put("remove_extra_whitespaces", GgufValue.bool(true));
        for (JsonFile step : json.normalizers()) {
            step.string("precompiled_charsmap").ifPresent(map -> addCharsmap(bytes(json, map)));
        }
        return vocabulary;
    }

    private static byte[] bytes(TokenizerJson json, String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw json.damaged("the normalizer's precompiled_charsmap is no Base64: " + e.getMessage());
        }
    }

    /** XLM-RoBERTa numbers its tokens otherwise than its SentencePiece file: four special ones first, one shift, a mask last. */
    private Vocabulary xlmRoberta(SentencePieceModel model) {
        Vocabulary vocabulary = new Vocabulary(source.vocabularySize());
        List<String> first = List.of("<s>", "<pad>", "</s>", "<unk>");
        for (int id = 0; id < first.size(); id++) {
            vocabulary.set(id, first.get(id), 0, id == 3 ? Vocabulary.Type.UNKNOWN : Vocabulary.Type.CONTROL);
        }
        List<SentencePieceModel.Piece> pieces = model.pieces();
        for (int id = first.size(); id <= pieces.size() && id < vocabulary.size(); id++) {
            SentencePieceModel.Piece piece = pieces.get(id - 1);
            vocabulary.set(id, piece.text(), piece.score(), piece.type());
        }
        if (vocabulary.size() > pieces.size() + 1) {
            vocabulary.set(pieces.size() + 1, "<mask>", 0, Vocabulary.Type.CONTROL);
        }
        put("model", GgufValue.string("t5"));
        put("pre", GgufValue.string("default"));
        vocabulary.addTo(metadata, true);
        addSpaces(model);
        put("add_bos_token", GgufValue.bool(true));
        put("add_eos_token", GgufValue.bool(true));
        return vocabulary;
    }

    private Vocabulary wordPieceFile() {
        Path file = source.folder().resolve("vocab.txt");
        Map<String, Integer> ids = new HashMap<>();
        try {
            List<String> lines = WholeFile.text(file).lines().toList();
            for (int id = 0; id < lines.size(); id++) {
                ids.put(lines.get(id), id);
            }
        } catch (IOException e) {
            throw new ConversionException(file + " cannot be read: " + e, e);
        }
        source.tokenizerConfig()
                .bool("do_lower_case")
                .ifPresent(lower -> put("normalizer.lowercase", GgufValue.bool(lower)));
        return wordPiece(ids, null);
    }

    /** BERT marks the inside of words with ##, llama.cpp their beginning with a space. */
    private Vocabulary wordPiece(Map<String, Integer> ids, @Nullable TokenizerJson json) {
        Vocabulary vocabulary = new Vocabulary(source.vocabularySize());
        ids.forEach((text, id) -> {
            if (id < 0 || id >= vocabulary.size()) {
                throw new ConversionException("the tokenizer's token '" + text + "' has the id " + id
                        + ", but config.json says vocab_size " + vocabulary.size());
            }
            boolean special = text.matches("\\[(PAD|UNK|CLS|SEP|MASK)]");
            String marked = text.startsWith("##") ? text.substring(2) : SPACE + text;
            vocabulary.set(id, special ? text : marked, 0, special ? Vocabulary.Type.CONTROL : Vocabulary.Type.NORMAL);
        });
        if (json != null) {
            json.added()
                    .forEach(token ->
                            new AddedTokens(source, vocabulary).add(token.id(), token.content(), token.special()));
            addNormalizer(json);
        }
        put("model", GgufValue.string("bert"));
        put("pre", GgufValue.string("default"));
        vocabulary.addTo(metadata, false);
        return vocabulary;
    }

    private void addNormalizer(TokenizerJson json) {
        for (JsonFile step : json.normalizers()) {
            if (TokenizerJson.is(step, "BertNormalizer")) {
                step.bool("lowercase").ifPresent(lower -> put("normalizer.lowercase", GgufValue.bool(lower)));
                step.bool("strip_accents").ifPresent(strip -> put("normalizer.strip_accents", GgufValue.bool(strip)));
            } else if (TokenizerJson.is(step, "Lowercase")) {
                put("normalizer.lowercase", GgufValue.bool(true));
            } else if (TokenizerJson.is(step, "StripAccents")) {
                put("normalizer.strip_accents", GgufValue.bool(true));
            }
        }
    }

    private void put(String key, GgufValue value) {
        metadata.put(PREFIX + key, value);
    }
}
