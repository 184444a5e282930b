package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FlashAttention;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.Pooling;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufValue;
import org.panallama.tools.Progress;

/** Random BERT models: llama.cpp's vectors of the converted file equal those of a plain forward pass. */
class BertConversionTest {

    private static final int HIDDEN = 64;
    private static final int HEADS = 4;
    private static final int[] TOKENS = {2, 5, 9, 30, 17, 3};

    @TempDir
    Path folder;

    private List<String> warnings = List.of();

    @ParameterizedTest
    @CsvSource({"BertModel, '', 0", "BertForMaskedLM, bert., 0", "RobertaModel, '', 2"})
    void vectorsEqualThoseOfAPlainForwardPass(String className, String prefix, int firstPosition) throws IOException {
        RandomCheckpoint checkpoint = checkpoint(className, prefix);
        float[][] expected = forward(checkpoint, prefix, firstPosition);
        float[][] vectors = vectors(convert(checkpoint));
        for (int t = 0; t < TOKENS.length; t++) {
            for (int i = 0; i < HIDDEN; i++) {
                assertThat(vectors[t][i]).as("token %d, column %d", t, i).isCloseTo(expected[t][i], within(2e-3f));
            }
        }
    }

    /** The same model under other names, without token types. */
    @Test
    void aDistilBertIsABertOfOtherNames() throws IOException {
        RandomCheckpoint checkpoint = checkpoint("DistilBertModel", "distilbert.");
        Arrays.fill(checkpoint.values("distilbert.embeddings.token_type_embeddings.weight"), 0);
        float[][] expected = forward(checkpoint, "distilbert.", 0);
        checkpoint.remove("distilbert.embeddings.token_type_embeddings.weight");
        Map<String, String> names = new LinkedHashMap<>();
        names.put("attention.self.query", "attention.q_lin");
        names.put("attention.self.key", "attention.k_lin");
        names.put("attention.self.value", "attention.v_lin");
        names.put("attention.output.dense", "attention.out_lin");
        names.put("attention.output.LayerNorm", "sa_layer_norm");
        names.put("intermediate.dense", "ffn.lin1");
        names.put("output.dense", "ffn.lin2");
        names.put("output.LayerNorm", "output_layer_norm");
        for (int layer = 0; layer < 2; layer++) {
            for (Map.Entry<String, String> name : names.entrySet()) {
                for (String kind : new String[] {".weight", ".bias"}) {
                    checkpoint.rename(
                            "distilbert.encoder.layer." + layer + "." + name.getKey() + kind,
                            "distilbert.transformer.layer." + layer + "." + name.getValue() + kind);
                }
            }
        }
        addLinear(checkpoint, "vocab_transform", HIDDEN, HIDDEN);
        JsonObject config = checkpoint.config();
        config.add("dim", config.remove("hidden_size"));
        config.add("hidden_dim", config.remove("intermediate_size"));
        config.add("n_layers", config.remove("num_hidden_layers"));
        config.add("n_heads", config.remove("num_attention_heads"));
        config.remove("layer_norm_eps");
        config.remove("type_vocab_size");
        float[][] vectors = vectors(convert(checkpoint));
        for (int t = 0; t < TOKENS.length; t++) {
            assertThat(vectors[t]).as("token %d", t).containsExactly(expected[t], within(2e-3f));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "BertForSequenceClassification, bert., 0, bert.pooler.dense, classifier",
        "XLMRobertaForSequenceClassification, roberta., 2, classifier.dense, classifier.out_proj"
    })
    void theHeadOfARerankerGivesItsScores(
            String className, String prefix, int firstPosition, String dense, String outputs) throws IOException {
        RandomCheckpoint checkpoint = checkpoint(className, prefix);
        JsonObject labels = new JsonObject();
        if (firstPosition > 0) {
            addLinear(checkpoint, dense, HIDDEN, HIDDEN);
            labels.addProperty("0", "relevance");
            checkpoint.config().add("id2label", labels);
        }
        addLinear(checkpoint, outputs, Math.max(1, 2 - labels.size()), HIDDEN);
        float[] hidden = linear(checkpoint, dense, forward(checkpoint, prefix, firstPosition)[0]);
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = (float) Math.tanh(hidden[i]);
        }
        float[] expected = linear(checkpoint, outputs, hidden);
        Path file = convert(checkpoint);
        try (Model model = Model.load(file)) {
            assertThat(model.pooling()).isEqualTo(Pooling.RANK);
            assertThat(GgufFile.open(file)
                            .metadata()
                            .get("bert.classifier.output_labels")
                            .strings())
                    .isEqualTo(labels.size() > 0 ? List.of("relevance") : List.of("LABEL_0", "LABEL_1"));
            try (Context context = model.newContext(options().build());
                    Batch batch = batch()) {
                context.encode(batch);
                assertThat(context.sequenceEmbedding(0).toArray()).containsExactly(expected, within(2e-3f));
            }
        }
    }

    @Test
    void whatLlamaCppDoesNotComputeIsSaid() throws IOException {
        RandomCheckpoint reranker = checkpoint("BertForSequenceClassification", "bert.");
        addLinear(reranker, "classifier", 2, HIDDEN);
        convert(reranker);
        assertThat(warnings).singleElement().asString().contains("tells the two texts of a pair apart");
        Files.createDirectories(folder.resolve("checkpoint/2_Dense"));
        convert(checkpoint("BertModel", ""));
        assertThat(warnings).singleElement().asString().contains("projects its vectors once more (2_Dense)");
    }

    /** Decoders that were trained to embed look at the whole text. */
    @Test
    void attentionToTheWholeTextIsStated() throws IOException {
        SmallCheckpoints.all(folder);
        Path config = folder.resolve("byte-fallback/config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{\"is_causal\": false, "));
        assertThat(Converter.open(config.getParent(), ConversionOptions.defaults())
                        .metadata())
                .containsEntry("qwen2.attention.causal", GgufValue.bool(false));
    }

    /** Tokens that were added to the vocabulary are found where Hugging Face's library finds them, within words, too. */
    @Test
    void addedTokensAreThoseOfTheOriginal() throws IOException {
        Path written = checkpoint("BertModel", "").write(folder.resolve("checkpoint"));
        SmallTokenizers.wordPiece(written, 80);
        List<String> tokens = Files.readAllLines(written.resolve("vocab.txt"));
        Files.delete(written.resolve("vocab.txt"));
        JsonObject vocabulary = new JsonObject();
        tokens.subList(0, 78).forEach(token -> vocabulary.addProperty(token, vocabulary.size()));
        Files.writeString(
                written.resolve("tokenizer.json"),
                "{\"version\": \"1.0\", \"added_tokens\": ["
                        + added(0, "[PAD]", true) + ", " + added(1, "[UNK]", true) + ", " + added(2, "[CLS]", true)
                        + ", " + added(3, "[SEP]", true) + ", " + added(78, "中国", false) + ", "
                        + added(79, "covid", false)
                        + "], \"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": true,"
                        + " \"handle_chinese_chars\": true, \"strip_accents\": null, \"lowercase\": true},"
                        + " \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"model\": {\"type\": \"WordPiece\","
                        + " \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\","
                        + " \"max_input_chars_per_word\": 100, \"vocab\": " + vocabulary + "}}");
        Path file = folder.resolve("bert.gguf");
        Converter.open(written, ConversionOptions.defaults()).write(file, Progress.NONE);
        try (Model model =
                        Model.load(file, ModelOptions.builder().vocabOnly(true).build());
                HuggingFaceTokenizer original = HuggingFaceTokenizer.newInstance(written.resolve("tokenizer.json"))) {
            for (String text : new String[] {"Hello 中国, the covid walking", "中", "covids", "walk中国covid"}) {
                int[] expected = Arrays.stream(
                                original.encode(text, false, false).getIds())
                        .mapToInt(id -> (int) id)
                        .toArray();
                assertThat(model.vocab().tokenize(text, false, true)).as(text).isEqualTo(expected);
            }
        }
    }

    private static String added(int id, String content, boolean special) {
        return "{\"id\": " + id + ", \"content\": \"" + content + "\", \"special\": " + special
                + ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": " + !special + "}";
    }

    @Test
    void wordPiecesAreThoseOfBert() throws IOException {
        RandomCheckpoint checkpoint = checkpoint("BertModel", "");
        try (Model model = Model.load(convert(checkpoint))) {
            // [CLS] hello , walk ##ing world ! 中 国 w ##a ##x ##s [SEP]
            assertThat(model.vocab().tokenize("Hello, walking WORLD! 中国 waxs"))
                    .containsExactly(2, 5, 13, 10, 9, 6, 14, 11, 12, 59, 16, 62, 52, 3);
            assertThat(model.vocab().padding()).isZero();
            assertThat(model.metadata())
                    .containsEntry("bert.pooling_type", "2")
                    .containsEntry("bert.attention.causal", "false");
        }
    }

    private Path convert(RandomCheckpoint checkpoint) throws IOException {
        Path written = checkpoint.write(folder.resolve("checkpoint"));
        SmallTokenizers.wordPiece(written, 80);
        Files.createDirectories(written.resolve("1_Pooling"));
        Files.writeString(
                written.resolve("1_Pooling/config.json"),
                "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": false}");
        Path file = folder.resolve("bert.gguf");
        warnings = Converter.open(
                        written,
                        ConversionOptions.builder().type(ConversionType.F32).build())
                .write(file, Progress.NONE)
                .warnings();
        return file;
    }

    private static ContextOptions.Builder options() {
        return ContextOptions.builder()
                .length(32)
                .threads(1)
                .batchThreads(1)
                .embeddings(true)
                .flashAttention(FlashAttention.OFF);
    }

    private static Batch batch() {
        Batch batch = Batch.tokens(TOKENS.length);
        for (int t = 0; t < TOKENS.length; t++) {
            batch.add(TOKENS[t], t, 0, true);
        }
        return batch;
    }

    private static float[][] vectors(Path file) {
        try (Model model = Model.load(file);
                Context context =
                        model.newContext(options().pooling(Pooling.NONE).build());
                Batch batch = batch()) {
            context.encode(batch);
            float[][] vectors = new float[TOKENS.length][];
            for (int t = 0; t < TOKENS.length; t++) {
                vectors[t] = context.embedding(t).toArray();
            }
            return vectors;
        }
    }

    private static RandomCheckpoint checkpoint(String className, String prefix) {
        RandomCheckpoint checkpoint = new RandomCheckpoint(
                3,
                "{\"architectures\": [\"" + className + "\"], \"hidden_size\": 64, \"num_hidden_layers\": 2,"
                        + " \"num_attention_heads\": 4, \"intermediate_size\": 96, \"vocab_size\": 80,"
                        + " \"max_position_embeddings\": 40, \"layer_norm_eps\": 1e-12, \"type_vocab_size\": 2}");
        JsonObject config = checkpoint.config();
        if (className.contains("Roberta")) {
            config.addProperty("pad_token_id", 1);
        }
        checkpoint.add(prefix + "embeddings.word_embeddings.weight", 80, HIDDEN);
        checkpoint.add(prefix + "embeddings.position_embeddings.weight", 40, HIDDEN);
        checkpoint.add(prefix + "embeddings.token_type_embeddings.weight", 2, HIDDEN);
        addNorm(checkpoint, prefix + "embeddings.LayerNorm");
        for (int layer = 0; layer < 2; layer++) {
            String name = prefix + "encoder.layer." + layer + ".";
            for (String part : new String[] {"self.query", "self.key", "self.value", "output.dense"}) {
                addLinear(checkpoint, name + "attention." + part, HIDDEN, HIDDEN);
            }
            addNorm(checkpoint, name + "attention.output.LayerNorm");
            addLinear(checkpoint, name + "intermediate.dense", 96, HIDDEN);
            addLinear(checkpoint, name + "output.dense", HIDDEN, 96);
            addNorm(checkpoint, name + "output.LayerNorm");
        }
        addLinear(checkpoint, prefix + "pooler.dense", HIDDEN, HIDDEN);
        return checkpoint;
    }

    private static void addLinear(RandomCheckpoint checkpoint, String name, int rows, int columns) {
        checkpoint.add(name + ".weight", rows, columns);
        checkpoint.add(name + ".bias", rows);
    }

    private static void addNorm(RandomCheckpoint checkpoint, String name) {
        checkpoint.add(name + ".weight", HIDDEN);
        checkpoint.add(name + ".bias", HIDDEN);
    }

    private static float[][] forward(RandomCheckpoint model, String prefix, int firstPosition) {
        float[][] x = new float[TOKENS.length][HIDDEN];
        for (int t = 0; t < TOKENS.length; t++) {
            for (int i = 0; i < HIDDEN; i++) {
                x[t][i] = model.values(prefix + "embeddings.word_embeddings.weight")[TOKENS[t] * HIDDEN + i]
                        + model.values(prefix + "embeddings.position_embeddings.weight")[
                                (t + firstPosition) * HIDDEN + i]
                        + model.values(prefix + "embeddings.token_type_embeddings.weight")[i];
            }
            x[t] = norm(model, prefix + "embeddings.LayerNorm", x[t]);
        }
        for (int layer = 0; layer < 2; layer++) {
            String name = prefix + "encoder.layer." + layer + ".";
            float[][] mixed = attend(model, name + "attention.", x);
            for (int t = 0; t < TOKENS.length; t++) {
                ReferenceDecoder.add(mixed[t], x[t]);
                float[] state = norm(model, name + "attention.output.LayerNorm", mixed[t]);
                float[] inner = linear(model, name + "intermediate.dense", state);
                for (int i = 0; i < inner.length; i++) {
                    inner[i] = gelu(inner[i]);
                }
                float[] out = linear(model, name + "output.dense", inner);
                ReferenceDecoder.add(out, state);
                x[t] = norm(model, name + "output.LayerNorm", out);
            }
        }
        return x;
    }

    private static float[][] attend(RandomCheckpoint model, String name, float[][] x) {
        int size = HIDDEN / HEADS;
        float[][] result = new float[x.length][];
        for (int t = 0; t < x.length; t++) {
            float[] q = linear(model, name + "self.query", x[t]);
            float[] mixed = new float[HIDDEN];
            for (int h = 0; h < HEADS; h++) {
                double[] weights = new double[x.length];
                for (int s = 0; s < x.length; s++) {
                    float[] k = linear(model, name + "self.key", x[s]);
                    for (int i = h * size; i < (h + 1) * size; i++) {
                        weights[s] += q[i] * k[i] / Math.sqrt(size);
                    }
                }
                ReferenceDecoder.softmax(weights);
                for (int s = 0; s < x.length; s++) {
                    float[] v = linear(model, name + "self.value", x[s]);
                    for (int i = h * size; i < (h + 1) * size; i++) {
                        mixed[i] += (float) (weights[s] * v[i]);
                    }
                }
            }
            result[t] = linear(model, name + "output.dense", mixed);
        }
        return result;
    }

    private static float[] linear(RandomCheckpoint model, String name, float[] x) {
        float[] y = ReferenceDecoder.multiply(model.values(name + ".weight"), x);
        ReferenceDecoder.add(y, model.values(name + ".bias"));
        return y;
    }

    private static float[] norm(RandomCheckpoint model, String name, float[] x) {
        double mean = 0;
        for (float value : x) {
            mean += value / x.length;
        }
        double variance = 1e-12;
        for (float value : x) {
            variance += (value - mean) * (value - mean) / x.length;
        }
        float[] y = new float[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = (float) ((x[i] - mean) / Math.sqrt(variance) * model.values(name + ".weight")[i]
                    + model.values(name + ".bias")[i]);
        }
        return y;
    }

    /** By its tangent formula, which differs from the exact one by less than 1e-3. */
    private static float gelu(float x) {
        return (float) (x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))));
    }
}
