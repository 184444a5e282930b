package org.panallama.tools.convert;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.panallama.gguf.GgufValue;
import org.panallama.tools.internal.JsonFile;

/** Which tokens begin, end, separate and pad, and which are added to every text. */
final class SpecialTokens {

    private static final String PREFIX = "tokenizer.ggml.";

    /** Kinds and their keys; one is misspelt in llama.cpp too. */
    private static final Map<String, String> KEYS = new LinkedHashMap<>();

    static {
        KEYS.put("bos", "bos_token_id");
        KEYS.put("eos", "eos_token_id");
        KEYS.put("unk", "unknown_token_id");
        KEYS.put("sep", "seperator_token_id");
        KEYS.put("pad", "padding_token_id");
        KEYS.put("mask", "mask_token_id");
    }

    /** What llama.cpp takes for the end of a turn without being told. */
    private static final Set<String> KNOWN_ENDS = Set.of(
            "<|eot_id|>",
            "<|im_end|>",
            "<|end|>",
            "<|return|>",
            "<|call|>",
            "<|flush|>",
            "<|calls|>",
            "<end_of_turn>",
            "<|endoftext|>",
            "<|eom_id|>",
            "</s>",
            "<EOT>",
            "_<EOT>",
            "[EOT]",
            "[EOS]",
            "<|end_of_text|>",
            "<end_of_utterance>",
            "<eos>");

    private final TokenizerSource source;
    private final Vocabulary vocabulary;
    private final Map<String, GgufValue> metadata;

    SpecialTokens(TokenizerSource source, Vocabulary vocabulary, Map<String, GgufValue> metadata) {
        this.source = source;
        this.vocabulary = vocabulary;
        this.metadata = metadata;
    }

    void add() {
        KEYS.forEach((kind, key) -> {
            OptionalInt id = id(kind);
            if (id.isPresent() && id.getAsInt() < vocabulary.size()) {
                metadata.put(PREFIX + key, GgufValue.uint32(id.getAsInt()));
            } else if (id.isPresent()) {
                source.warnings()
                        .add("the " + kind + " token's id " + id.getAsInt() + " is left out: it is beyond vocab_size "
                                + vocabulary.size());
            }
        });
        addOtherEnds();
        addFlag("bos");
        addFlag("eos");
        addFlag("sep");
    }

    private OptionalInt id(String kind) {
        Optional<String> text = source.special(kind).or(() -> bertName(kind));
        OptionalInt found = text.map(vocabulary::find).orElse(OptionalInt.empty());
        if (found.isPresent()) {
            return found;
        }
        for (JsonFile file : List.of(source.config().json(), source.generation())) {
            if (kind.equals("eos")) {
                List<Integer> ends = ModelConfig.endTokens(file);
                if (!ends.isEmpty()) {
                    return OptionalInt.of(ends.get(0));
                }
            } else if (file.has(kind + "_token_id")) {
                OptionalInt id = file.tokenId(kind + "_token_id");
                return id.isPresent() && id.getAsInt() < 0 ? OptionalInt.empty() : id;
            }
        }
        return OptionalInt.empty();
    }

    /** BERT begins a text with its class token and ends it with the separator. */
    private Optional<String> bertName(String kind) {
        return switch (kind) {
            case "bos" -> source.special("cls");
            case "eos" -> source.special("sep");
            default -> Optional.empty();
        };
    }

    /** Where several tokens end a text: those beyond the first that llama.cpp does not know by their text. */
    private void addOtherEnds() {
        Set<Integer> ends = new LinkedHashSet<>(ModelConfig.endTokens(source.generation()));
        ends.addAll(ModelConfig.endTokens(source.config().json()));
        id("eos").ifPresent(ends::remove);
        List<Integer> unknown = new ArrayList<>();
        for (int end : ends) {
            if (end >= 0 && end < vocabulary.size() && !KNOWN_ENDS.contains(vocabulary.text(end))) {
                unknown.add(end);
            }
        }
        for (int i = 0; i < Math.min(2, unknown.size()); i++) {
            metadata.put(PREFIX + List.of("eot", "eom").get(i) + "_token_id", GgufValue.uint32(unknown.get(i)));
        }
        if (unknown.size() > 2) {
            source.warnings()
                    .add("more tokens end a text than a GGUF file has keys for; left out are "
                            + unknown.subList(2, unknown.size()));
        }
    }

    private void addFlag(String kind) {
        source.tokenizerConfig()
                .bool("add_" + kind + "_token")
                .or(() -> Optional.ofNullable(source.json()).flatMap(json -> json.adds(kind)))
                .ifPresent(adds -> metadata.put(PREFIX + "add_" + kind + "_token", GgufValue.bool(adds)));
    }
}
