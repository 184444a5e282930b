package org.panallama.tools.convert;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tokenizers as checkpoints bring them, of a few hundred tokens. */
final class SmallTokenizers {

    static final String QWEN2 =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /** Pairs that English and Chinese texts have, from bytes up. */
    private static final List<String> WORDS =
            List.of(" the", " hello", "hello", "world", " world", "tion", "中国", "你好", " 12", "ing", "'s", "  ");

    private SmallTokenizers() {}

    /** An entry of {@code added_tokens} that takes the text as it is. */
    static Map<String, Object> added(int id, String content, boolean special) {
        return Map.of(
                "id",
                id,
                "content",
                content,
                "special",
                special,
                "normalized",
                false,
                "single_word",
                false,
                "lstrip",
                false,
                "rstrip",
                false);
    }

    /** Byte-level BPE: 256 bytes, what the words' merges make, and three added tokens behind. */
    static void byteLevel(Path folder, String regex, boolean pairs) throws IOException {
        List<String> letters = letters();
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        letters.forEach(letter -> vocabulary.put(letter, vocabulary.size()));
        List<Object> merges = new ArrayList<>();
        for (String word : WORDS) {
            StringBuilder left = new StringBuilder();
            for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
                String right = letters.get(b & 0xFF);
                if (left.length() > 0 && vocabulary.putIfAbsent(left + right, vocabulary.size()) == null) {
                    merges.add(pairs ? List.of(left.toString(), right) : left + " " + right);
                }
                left.append(right);
            }
        }
        int next = vocabulary.size();
        List<Object> added = new ArrayList<>();
        for (String token : List.of("<|endoftext|>", "<|im_start|>", "<tool>")) {
            added.add(added(next + added.size(), token, token.startsWith("<|")));
        }
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("byte_fallback", false);
        model.put("ignore_merges", false);
        model.put("vocab", vocabulary);
        model.put("merges", merges);
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("version", "1.0");
        root.put("added_tokens", added);
        root.put("normalizer", Map.of("type", "NFC"));
        root.put(
                "pre_tokenizer",
                Map.of(
                        "type",
                        "Sequence",
                        "pretokenizers",
                        List.of(
                                Map.of(
                                        "type",
                                        "Split",
                                        "pattern",
                                        Map.of("Regex", regex),
                                        "behavior",
                                        "Isolated",
                                        "invert",
                                        false),
                                Map.of(
                                        "type",
                                        "ByteLevel",
                                        "add_prefix_space",
                                        false,
                                        "trim_offsets",
                                        false,
                                        "use_regex",
                                        false))));
        root.put(
                "decoder",
                Map.of("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", false, "use_regex", false));
        root.put("model", model);
        Files.writeString(folder.resolve("tokenizer.json"), new Gson().toJson(root));
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"add_bos_token\": false, \"bos_token\": null, \"eos_token\": \"<|endoftext|>\","
                        + " \"pad_token\": {\"content\": \"<|endoftext|>\"}, \"chat_template\": \"{{ messages }}\"}");
    }

    /** GPT-2's letters for the bytes: themselves where they are printed, others in their order from U+0100 on. */
    static List<String> letters() {
        List<String> letters = new ArrayList<>();
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printed = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            letters.add(String.valueOf((char) (printed ? b : next++)));
        }
        return letters;
    }

    /** Words and their parts for BERT, one a line. */
    static void wordPiece(Path folder, int size) throws IOException {
        List<String> tokens = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
        tokens.addAll(List.of("hello", "world", "the", "##ed", "##ing", "walk", "中", "国", ",", "!"));
        for (char letter = 'a'; letter <= 'z'; letter++) {
            tokens.add(String.valueOf(letter));
            tokens.add("##" + letter);
        }
        while (tokens.size() < size) {
            tokens.add("[unused" + tokens.size() + "]");
        }
        Files.write(folder.resolve("vocab.txt"), tokens);
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"do_lower_case\": true, \"cls_token\": \"[CLS]\", \"sep_token\": \"[SEP]\", \"unk_token\": \"[UNK]\","
                        + " \"pad_token\": \"[PAD]\", \"mask_token\": \"[MASK]\"}");
    }
}
