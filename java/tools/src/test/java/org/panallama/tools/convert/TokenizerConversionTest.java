package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.gguf.GgufValue;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;

/** Converted tokenizers cut texts as Hugging Face's own library does with the original files. */
class TokenizerConversionTest {

    private static final List<String> TEXTS = List.of(
            "hello world, the nation's singing 12345",
            "你好，中国！hello\n\n  world\t\r\n the",
            "naïve café 🦙🦙🏽 ∑x² = 3.14; HELLO'S I'll we've",
            "   leading and trailing   ",
            "<|im_start|>hello<tool> the<|endoftext|>",
            "");

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void byteLevelTokensAreThoseOfTheOriginal(boolean pairs) throws IOException {
        Path checkpoint = llama(320);
        SmallTokenizers.byteLevel(checkpoint, SmallTokenizers.QWEN2, pairs);
        Converter converter = Converter.open(checkpoint, ConversionOptions.defaults());
        assertThat(converter.metadata().get("tokenizer.ggml.pre")).isEqualTo(GgufValue.string("qwen2"));
        assertThat(converter.metadata().get("tokenizer.chat_template")).isEqualTo(GgufValue.string("{{ messages }}"));
        assertSameTokens(converter, checkpoint, TEXTS);
    }

    /** The vocabulary of the tiny model, saved as merges: the same tokens as with its SentencePiece file. */
    @Test
    void mergesWithByteFallbackGiveTheTokensOfTheSentencePieceModel() throws IOException {
        Path checkpoint = llama(5120);
        saveAsMerges(checkpoint);
        Converter converter = Converter.open(checkpoint, ConversionOptions.defaults());
        Path file = folder.resolve("vocab.gguf");
        converter.write(file, Progress.NONE);
        try (Model model = vocabulary(file);
                Model reference = vocabulary(TinyModel.path())) {
            List<String> texts = new ArrayList<>(TEXTS);
            texts.add("床前明月光，疑是地上霜。[INST] 法国的英文名是什么？ [/INST] France");
            for (String text : texts) {
                assertThat(model.vocab().tokenize(text))
                        .as(text)
                        .isEqualTo(reference.vocab().tokenize(text));
            }
            assertThat(model.vocab().bos()).isEqualTo(1);
            assertThat(model.vocab().addsBos()).isTrue();
        }
    }

    @Test
    void anExpressionThatLlamaCppDoesNotKnowIsShown() throws IOException {
        Path checkpoint = llama(320);
        SmallTokenizers.byteLevel(checkpoint, "[a-z]+|[^a-z]", true);
        assertThatThrownBy(() -> Converter.open(checkpoint, ConversionOptions.defaults()))
                .isInstanceOf(ConversionException.class)
                .hasMessageContaining("'[a-z]+|[^a-z]', then 'bytes'")
                .hasMessageContaining("Known are gpt-2, ");
    }

    @Test
    void aVocabularyLargerThanTheEmbeddingIsRefused() throws IOException {
        Path checkpoint = llama(200);
        SmallTokenizers.byteLevel(checkpoint, SmallTokenizers.QWEN2, true);
        assertThatThrownBy(() -> Converter.open(checkpoint, ConversionOptions.defaults()))
                .isInstanceOf(ConversionException.class)
                .hasMessageContaining("but config.json says vocab_size 200");
    }

    @Test
    void aCheckpointWithoutTokenizerSaysWhatIsNeeded() throws IOException {
        Path checkpoint = llama(200);
        assertThatThrownBy(() -> Converter.open(checkpoint, ConversionOptions.defaults()))
                .hasMessageContaining("has no tokenizer: tokenizer.model, tokenizer.json");
    }

    @Test
    void addedTokensStandBesideASentencePieceModel() throws IOException {
        Path checkpoint = llama(5123);
        Files.copy(Path.of("src/test/resources/mixtral-random/tokenizer.model"), checkpoint.resolve("tokenizer.model"));
        Files.writeString(checkpoint.resolve("added_tokens.json"), "{\"<think>\": 5120}");
        Files.writeString(
                checkpoint.resolve("tokenizer_config.json"),
                "{\"added_tokens_decoder\": {\"5121\": {\"content\": \"<|im_end|>\", \"special\": true}},"
                        + "\"eos_token\": \"<|im_end|>\", \"chat_template\": [{\"name\": \"default\", \"template\": \"a\"},"
                        + " {\"name\": \"tool_use\", \"template\": \"b\"}]}");
        Converter converter = Converter.open(checkpoint, ConversionOptions.defaults());
        GgufValue tokens = converter.metadata().get("tokenizer.ggml.tokens");
        assertThat(tokens.strings().subList(5120, 5123)).containsExactly("<think>", "<|im_end|>", "[PAD5122]");
        int[] types = converter.metadata().get("tokenizer.ggml.token_type").ints();
        assertThat(new int[] {types[0], types[1], types[3], types[5120], types[5121], types[5122]})
                .containsExactly(2, 3, 6, 4, 3, 5);
        assertThat(converter.metadata().get("tokenizer.ggml.eos_token_id")).isEqualTo(GgufValue.uint32(5121));
        assertThat(converter.metadata().get("tokenizer.chat_template")).isEqualTo(GgufValue.string("a"));
        assertThat(converter.metadata().get("tokenizer.chat_template.tool_use")).isEqualTo(GgufValue.string("b"));
    }

    private void assertSameTokens(Converter converter, Path checkpoint, List<String> texts) throws IOException {
        Path file = folder.resolve("vocab.gguf");
        converter.write(file, Progress.NONE);
        try (Model model = vocabulary(file);
                HuggingFaceTokenizer original =
                        HuggingFaceTokenizer.newInstance(checkpoint.resolve("tokenizer.json"))) {
            for (String text : texts) {
                int[] expected = Arrays.stream(
                                original.encode(text, false, false).getIds())
                        .mapToInt(id -> (int) id)
                        .toArray();
                assertThat(model.vocab().tokenize(text, false, true)).as(text).isEqualTo(expected);
            }
        }
    }

    private static Model vocabulary(Path file) {
        return Model.load(file, ModelOptions.builder().vocabOnly(true).build());
    }

    /** As Transformers saves a Llama tokenizer: every pair of tokens that makes a token, the likeliest first. */
    private static void saveAsMerges(Path checkpoint) throws IOException {
        List<SentencePieceModel.Piece> pieces = SentencePieceModel.read(
                        Path.of("src/test/resources/mixtral-random/tokenizer.model"))
                .pieces();
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        pieces.forEach(piece -> vocabulary.put(piece.text(), vocabulary.size()));
        List<String> merges = new ArrayList<>();
        pieces.stream()
                .filter(piece -> piece.type() == Vocabulary.Type.NORMAL)
                .sorted(Comparator.comparing(SentencePieceModel.Piece::score, Comparator.reverseOrder()))
                .forEach(piece -> {
                    for (int i = 1; i < piece.text().length(); i++) {
                        String left = piece.text().substring(0, i);
                        String right = piece.text().substring(i);
                        if (vocabulary.containsKey(left) && vocabulary.containsKey(right)) {
                            merges.add(left + " " + right);
                        }
                    }
                });
        JsonObject root = JsonParser.parseString("{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\":"
                        + " [{\"type\": \"Prepend\", \"prepend\": \"▁\"},"
                        + " {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"▁\"}]},"
                        + " \"added_tokens\": [{\"id\": 0, \"content\": \"<unk>\", \"special\": true},"
                        + " {\"id\": 1, \"content\": \"<s>\", \"special\": true},"
                        + " {\"id\": 2, \"content\": \"</s>\", \"special\": true}],"
                        + " \"post_processor\": {\"type\": \"TemplateProcessing\", \"single\":"
                        + " [{\"SpecialToken\": {\"id\": \"<s>\"}}, {\"Sequence\": {\"id\": \"A\"}}]},"
                        + " \"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"ByteFallback\"}]},"
                        + " \"model\": {\"type\": \"BPE\", \"byte_fallback\": true, \"unk_token\": \"<unk>\"}}")
                .getAsJsonObject();
        root.getAsJsonObject("model").add("vocab", new Gson().toJsonTree(vocabulary));
        root.getAsJsonObject("model").add("merges", new Gson().toJsonTree(merges));
        Files.writeString(checkpoint.resolve("tokenizer.json"), root.toString());
        Files.writeString(
                checkpoint.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}");
    }

    private Path llama(int vocabulary) throws IOException {
        RandomCheckpoint checkpoint = new RandomCheckpoint(
                7,
                "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 32, \"num_hidden_layers\": 1,"
                        + " \"num_attention_heads\": 2, \"intermediate_size\": 32, \"vocab_size\": " + vocabulary
                        + ", \"max_position_embeddings\": 64, \"rms_norm_eps\": 1e-5}");
        checkpoint.add("model.embed_tokens.weight", vocabulary, 32);
        String layer = "model.layers.0.";
        for (String name : List.of(
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
                "self_attn.o_proj",
                "mlp.gate_proj",
                "mlp.up_proj",
                "mlp.down_proj")) {
            checkpoint.add(layer + name + ".weight", 32, 32);
        }
        checkpoint.add(layer + "input_layernorm.weight", 32);
        checkpoint.add(layer + "post_attention_layernorm.weight", 32);
        checkpoint.add("model.norm.weight", 32);
        checkpoint.add("lm_head.weight", vocabulary, 32);
        return checkpoint.write(folder.resolve("checkpoint"));
    }
}
