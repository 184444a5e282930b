package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.internal.AdapterWriter;

/** Adapters of the tiny model: hidden size 256, 5120 tokens, 8 experts of 256. */
@Tag("native")
class LoraAdapterTest {

    private static final int[] PROMPT = {1, 261, 262, 2425, 580, 2537, 481, 2440, 263, 262, 2425};
    private static final int TOKEN = 870;
    private static final int HIDDEN = 256;
    private static final int TOKENS = 5120;

    @TempDir
    Path folder;

    private Model model;
    private Context context;
    private float[] plain;

    @BeforeEach
    void open() {
        model = Tiny.model();
        context = model.newContext(Tiny.context().build());
        plain = logits(context);
    }

    @AfterEach
    void close() {
        model.close();
    }

    private static float[] logits(Context context) {
        context.memory().clear();
        context.decode(PROMPT);
        return context.logits(-1).toArray();
    }

    private static float[] oneHot(int size, int index, float value) {
        float[] values = new float[size];
        values[index] = value;
        return values;
    }

    private static float[] repeated(int size, float value) {
        float[] values = new float[size];
        Arrays.fill(values, value);
        return values;
    }

    @Test
    void aPairOfTheOutputChangesTheLogitThatItNamesByItsScale() {
        Path file = new AdapterWriter(1)
                .half("output.weight.lora_a", List.of((long) HIDDEN, 1L), repeated(HIDDEN, 0.05f))
                .half("output.weight.lora_b", List.of(1L, (long) TOKENS), oneHot(TOKENS, TOKEN, 2))
                .write(folder.resolve("output.gguf"));
        LoraAdapter adapter = model.loadLora(file);
        assertThat(adapter.metadata()).containsEntry("adapter.type", "lora");
        assertThat(adapter.file()).isEqualTo(file);
        assertThat(adapter.invocationTokens()).isEmpty();
        context.setLora(adapter);
        float[] changed = logits(context);
        float change = changed[TOKEN] - plain[TOKEN];
        assertThat(Math.abs(change)).isGreaterThan(0.01f);
        context.setLora(Map.of(adapter, -2f));
        float[] opposite = logits(context);
        assertThat(opposite[TOKEN] - plain[TOKEN]).isCloseTo(-2 * change, within(1e-3f));
        for (int i = 0; i < TOKENS; i++) {
            if (i != TOKEN) {
                assertThat(changed[i]).isEqualTo(plain[i]);
                assertThat(opposite[i]).isEqualTo(plain[i]);
            }
        }
    }

    @Test
    void aPairOfTheEmbeddingAddsToTheTokensThatItNames() {
        float[] row = new float[HIDDEN];
        Random random = new Random(1);
        for (int i = 0; i < HIDDEN; i++) {
            row[i] = random.nextFloat() / 10;
        }
        float[] identity = new float[HIDDEN * HIDDEN];
        float[] rows = new float[HIDDEN * TOKENS];
        for (int i = 0; i < HIDDEN; i++) {
            identity[i * HIDDEN + i] = HIDDEN; // alpha is 1
        }
        System.arraycopy(row, 0, rows, PROMPT[3] * HIDDEN, HIDDEN);
        LoraAdapter full = model.loadLora(new AdapterWriter(1)
                .half("token_embd.weight.lora_a", List.of((long) HIDDEN, (long) TOKENS), rows)
                .half("token_embd.weight.lora_b", List.of((long) HIDDEN, (long) HIDDEN), identity)
                .write(folder.resolve("full.gguf")));
        LoraAdapter narrow = model.loadLora(embedding(PROMPT[3], row, "narrow.gguf"));
        LoraAdapter elsewhere = model.loadLora(embedding(4000, row, "elsewhere.gguf"));
        context.setLora(elsewhere);
        assertThat(logits(context)).isEqualTo(plain);
        context.setLora(full);
        float[] changed = logits(context);
        context.setLora(narrow);
        assertThat(logits(context)).containsExactly(changed, within(1e-4f)).isNotEqualTo(plain);
    }

    private Path embedding(int token, float[] row, String name) {
        return new AdapterWriter(1)
                .half("token_embd.weight.lora_a", List.of(1L, (long) TOKENS), oneHot(TOKENS, token, 1))
                .half("token_embd.weight.lora_b", List.of(1L, (long) HIDDEN), row)
                .write(folder.resolve(name));
    }

    @Test
    void contextsHaveAdaptersAndScalesOfTheirOwn() {
        LoraAdapter experts = model.loadLora(layers("experts.gguf", 1));
        LoraAdapter others = model.loadLora(layers("others.gguf", 2));
        try (Context second = model.newContext(Tiny.context().build())) {
            context.setLora(experts);
            second.setLora(Map.of(experts, 0.5f, others, 1f));
            float[] one = logits(context);
            float[] two = logits(second);
            assertThat(one).isNotEqualTo(plain).isNotEqualTo(two);
            assertThat(logits(context)).isEqualTo(one);
            second.setLora(experts);
            assertThat(logits(second)).isEqualTo(one);
            experts.close();
            assertThat(logits(second)).isEqualTo(one);
            second.setLora(Map.of());
            assertThat(logits(second)).isEqualTo(plain);
            assertThat(logits(context)).isEqualTo(one);
            context.setLora(Map.of(others, 0f));
            assertThat(logits(context)).isEqualTo(plain);
        }
    }

    private Path layers(String name, int seed) {
        Random random = new Random(seed);
        return new AdapterWriter(4)
                .pair("blk.0.attn_q.weight", HIDDEN, HIDDEN, 0, 4, random)
                .pair("blk.1.ffn_gate_inp.weight", HIDDEN, 8, 0, 4, random)
                .pair("blk.2.ffn_up_exps.weight", HIDDEN, HIDDEN, 8, 4, random)
                .pair("blk.3.ffn_down_exps.weight", HIDDEN, HIDDEN, 8, 4, random)
                .write(folder.resolve(name));
    }

    @Test
    void adaptersOfOtherModelsAreRefused() {
        Random random = new Random(1);
        refused(new AdapterWriter(1).pair("blk.9.attn_q.weight", HIDDEN, HIDDEN, 0, 4, random), "blk.9.attn_q.weight");
        refused(
                new AdapterWriter(1).pair("blk.0.attn_q.weight", HIDDEN, 512, 0, 4, random),
                "'blk.0.attn_q.weight' is [256, 256] there, and the adapter's pair is [256, 4] and [4, 512]");
        refused(new AdapterWriter(1).pair("blk.0.ffn_up_exps.weight", HIDDEN, HIDDEN, 4, 4, random), "[256, 256, 8]");
        refused(
                new AdapterWriter(1)
                        .half("token_embd.weight.lora_a", List.of(2L, (long) TOKENS))
                        .half("token_embd.weight.lora_b", List.of(3L, (long) HIDDEN)),
                "'token_embd.weight'");
        AdapterWriter notAnAdapter = new AdapterWriter(1);
        notAnAdapter.header().put("general.type", "model");
        refused(notAnAdapter, "general.type is 'model'");
        AdapterWriter wholeAlpha = new AdapterWriter(1);
        wholeAlpha.header().put("adapter.lora.alpha", 16);
        refused(wholeAlpha, "adapter.lora.alpha");
        AdapterWriter otherKind = new AdapterWriter(1);
        otherKind.header().put("general.architecture", "qwen2");
        refused(otherKind, "mismatch");
        assertThatThrownBy(() -> model.loadLora(Path.of("no-such-adapter.gguf")))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("no-such-adapter.gguf: no such file");
        assertThat(logits(context)).isEqualTo(plain);
    }

    private void refused(AdapterWriter adapter, String problem) {
        Path file = adapter.write(folder.resolve("adapter.gguf"));
        assertThatThrownBy(() -> model.loadLora(file))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(problem);
    }

    @Test
    void adaptersOfOtherLoadedModelsAreRefused() {
        try (Model other = Tiny.model()) {
            LoraAdapter adapter = other.loadLora(layers("other.gguf", 3));
            assertThatThrownBy(() -> context.setLora(adapter)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
