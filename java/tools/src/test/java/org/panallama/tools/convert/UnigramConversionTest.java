package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.tools.Progress;

/** Unigram tokenizers, as XLM-RoBERTa has them, give the tokens that SentencePiece itself gave ({@code unigram/make.py}). */
class UnigramConversionTest {

    private static final Path FIXTURE = Path.of("src/test/resources/unigram");
    private static final String MODEL = "sentencepiece.bpe.model";
    private static final int PIECES = 1500;
    private static final int UNKNOWN = 3;

    @TempDir
    Path folder;

    @Test
    void aSentencePieceModelGivesTheTokensOfSentencePiece() throws IOException {
        Path checkpoint = xlmRoberta();
        Files.copy(FIXTURE.resolve(MODEL), checkpoint.resolve(MODEL));
        try (Model model = converted(checkpoint)) {
            for (Map.Entry<String, int[]> text : expected().entrySet()) {
                assertThat(model.vocab().tokenize(text.getKey()))
                        .as(text.getKey())
                        .isEqualTo(text.getValue());
            }
            assertThat(model.vocab().tokenize("<s> <mask></s>", false, true)).contains(0, PIECES + 1, 2);
            assertThat(model.vocab().padding()).isEqualTo(1);
        }
    }

    @Test
    void aTokenizerJsonGivesTheSameTokens() throws IOException {
        Path checkpoint = xlmRoberta();
        Path file = Files.writeString(
                checkpoint.resolve("tokenizer.json"), tokenizerJson(SentencePieceModel.read(FIXTURE.resolve(MODEL))));
        try (Model model = converted(checkpoint);
                HuggingFaceTokenizer original = HuggingFaceTokenizer.newInstance(file)) {
            for (Map.Entry<String, int[]> text : expected().entrySet()) {
                int[] ids = Arrays.stream(original.encode(text.getKey()).getIds())
                        .mapToInt(id -> (int) id)
                        .toArray();
                assertThat(ids).as(text.getKey()).isEqualTo(text.getValue());
                assertThat(model.vocab().tokenize(text.getKey()))
                        .as(text.getKey())
                        .isEqualTo(text.getValue());
            }
        }
    }

    /** Texts, and their tokens as XLM-RoBERTa numbers them: four special ones first, the others behind. */
    private static Map<String, int[]> expected() throws IOException {
        Map<String, int[]> expected = new LinkedHashMap<>();
        for (JsonElement element : JsonParser.parseString(Files.readString(FIXTURE.resolve("expected.json")))
                .getAsJsonArray()) {
            JsonObject text = element.getAsJsonObject();
            IntStream ids = text.getAsJsonArray("ids").asList().stream()
                    .mapToInt(JsonElement::getAsInt)
                    .map(id -> id == 0 ? UNKNOWN : id + 1);
            expected.put(
                    text.get("text").getAsString(),
                    IntStream.concat(IntStream.of(0), IntStream.concat(ids, IntStream.of(2)))
                            .toArray());
        }
        return expected;
    }

    /** As Transformers saves the tokenizer. */
    private static String tokenizerJson(SentencePieceModel model) {
        List<List<Object>> vocabulary = new ArrayList<>();
        List.of("<s>", "<pad>", "</s>", "<unk>").forEach(token -> vocabulary.add(List.of(token, 0f)));
        model.pieces().stream().skip(3).forEach(piece -> vocabulary.add(List.of(piece.text(), piece.score())));
        vocabulary.add(List.of("<mask>", 0f));
        List<Map<String, Object>> added = new ArrayList<>();
        for (int id : new int[] {0, 1, 2, 3, PIECES + 1}) {
            added.add(SmallTokenizers.added(id, (String) vocabulary.get(id).get(0), true));
        }
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("added_tokens", added);
        root.put(
                "normalizer",
                Map.of(
                        "type",
                        "Precompiled",
                        "precompiled_charsmap",
                        Base64.getEncoder().encodeToString(model.charsmap())));
        root.put(
                "pre_tokenizer",
                Map.of(
                        "type",
                        "Sequence",
                        "pretokenizers",
                        List.of(
                                Map.of("type", "WhitespaceSplit"),
                                Map.of("type", "Metaspace", "replacement", "▁", "prepend_scheme", "always"))));
        root.put(
                "post_processor",
                JsonParser.parseString(
                        "{'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': '<s>', 'type_id':"
                                + " 0}}, {'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': '</s>', 'type_id': 0}}],"
                                + " 'pair': [{'Sequence': {'id': 'A', 'type_id': 0}}], 'special_tokens': {'<s>': {'id': '<s>',"
                                + " 'ids': [0], 'tokens': ['<s>']}, '</s>': {'id': '</s>', 'ids': [2], 'tokens': ['</s>']}}}"));
        root.put("model", Map.of("type", "Unigram", "unk_id", UNKNOWN, "vocab", vocabulary));
        return new Gson().toJson(root);
    }

    private Model converted(Path checkpoint) {
        Path file = folder.resolve("vocabulary.gguf");
        Converter.open(checkpoint, ConversionOptions.defaults()).write(file, Progress.NONE);
        return Model.load(file, ModelOptions.builder().vocabOnly(true).build());
    }

    private Path xlmRoberta() throws IOException {
        RandomCheckpoint checkpoint = new RandomCheckpoint(
                11,
                "{\"architectures\": [\"XLMRobertaModel\"], \"hidden_size\": 32, \"num_hidden_layers\": 1,"
                        + " \"num_attention_heads\": 2, \"intermediate_size\": 32, \"vocab_size\": " + (PIECES + 2)
                        + ", \"max_position_embeddings\": 40, \"layer_norm_eps\": 1e-5, \"type_vocab_size\": 1,"
                        + " \"bos_token_id\": 0, \"pad_token_id\": 1, \"eos_token_id\": 2}");
        checkpoint.add("embeddings.word_embeddings.weight", PIECES + 2, 32);
        checkpoint.add("embeddings.position_embeddings.weight", 40, 32);
        checkpoint.add("embeddings.token_type_embeddings.weight", 1, 32);
        for (String norm : List.of(
                "embeddings.LayerNorm",
                "encoder.layer.0.attention.output.LayerNorm",
                "encoder.layer.0.output.LayerNorm")) {
            checkpoint.add(norm + ".weight", 32);
            checkpoint.add(norm + ".bias", 32);
        }
        for (String linear : List.of(
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
                "intermediate.dense",
                "output.dense")) {
            checkpoint.add("encoder.layer.0." + linear + ".weight", 32, 32);
            checkpoint.add("encoder.layer.0." + linear + ".bias", 32);
        }
        Path written = checkpoint.write(folder.resolve("checkpoint"));
        Files.writeString(
                written.resolve("tokenizer_config.json"),
                "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"unk_token\": \"<unk>\", \"pad_token\": \"<pad>\","
                        + " \"mask_token\": \"<mask>\", \"sep_token\": \"</s>\", \"cls_token\": \"<s>\"}");
        return written;
    }
}
