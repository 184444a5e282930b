package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.gguf.GgufValue;
import org.panallama.tools.Progress;

/** Rotary embeddings that are stretched to longer texts: llama.cpp turns as the model's configuration says. */
class RotaryConversionTest {

    private static final int[] TOKENS = new Random(5).ints(40, 5, 300).toArray();

    private static final String LINEAR = "{'rope_type': 'linear', 'factor': 4.0}";
    private static final String YARN = "{'rope_type': 'yarn', 'factor': 8.0, 'original_max_position_embeddings': 32}";
    private static final String LLAMA3 = "{'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0,"
            + " 'high_freq_factor': 4.0, 'original_max_position_embeddings': 32}";
    private static final String LONGROPE = "{'rope_type': 'longrope', 'original_max_position_embeddings': 32,"
            + " 'short_factor': [1, 1, 1, 1, 1, 1, 1, 1], 'long_factor': [1, 1.2, 1.5, 2, 3, 5, 7, 8]}";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {LINEAR, YARN, LLAMA3, LONGROPE})
    void logitsEqualThoseOfAPlainForwardPass(String rope) throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of("LlamaForCausalLM");
        float[][] plain = new ReferenceDecoder(checkpoint, true).logits(TOKENS);
        checkpoint.config().add("rope_scaling", json(rope));
        float[][] expected = new ReferenceDecoder(checkpoint, true).logits(TOKENS);
        Path file = folder.resolve("model.gguf");
        open(checkpoint).write(file, Progress.NONE);
        float[][] logits = ModelRun.logits(file, TOKENS);
        assertThat(distance(logits, expected)).isLessThan(2e-3);
        assertThat(distance(plain, expected)).as("what stretching changes").isGreaterThan(0.1);
    }

    @ParameterizedTest
    @ValueSource(strings = {LINEAR, YARN, LLAMA3, LONGROPE})
    void transformers5WritesItAllIntoOneObject(String rope) throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of("MistralForCausalLM");
        checkpoint.config().add("rope_scaling", json(rope));
        Converter before = open(checkpoint);
        JsonObject parameters = json(rope);
        checkpoint.config().remove("rope_scaling");
        parameters.add("rope_theta", checkpoint.config().remove("rope_theta"));
        checkpoint.config().add("rope_parameters", parameters);
        Converter after = open(checkpoint);
        assertThat(after.metadata()).isEqualTo(before.metadata());
        assertThat(after.tensors()).isEqualTo(before.tensors());
    }

    /** The keys and tensors that llama.cpp's own converter writes. */
    @Test
    void keysAreThoseOfLlamaCpp() throws IOException {
        assertThat(written("{'type': 'linear', 'factor': 4}"))
                .containsOnly(
                        Map.entry("scaling.type", GgufValue.string("linear")),
                        Map.entry("scaling.factor", GgufValue.float32(4)));
        assertThat(written("{'rope_type': 'yarn', 'factor': 8, 'original_max_position_embeddings': 32,"
                        + " 'extrapolation_factor': 1, 'attention_factor': 1.2, 'beta_fast': 32, 'beta_slow': 1}"))
                .containsOnly(
                        Map.entry("scaling.type", GgufValue.string("yarn")),
                        Map.entry("scaling.factor", GgufValue.float32(8)),
                        Map.entry("scaling.original_context_length", GgufValue.uint32(32)),
                        Map.entry("scaling.yarn_ext_factor", GgufValue.float32(1)),
                        Map.entry("scaling.yarn_attn_factor", GgufValue.float32(1.2f)),
                        Map.entry("scaling.yarn_beta_fast", GgufValue.float32(32)),
                        Map.entry("scaling.yarn_beta_slow", GgufValue.float32(1)));
        assertThat(written(LLAMA3)).isEmpty();
        assertThat(open(stretched("LlamaForCausalLM", LLAMA3)).tensors())
                .extracting("name")
                .contains("rope_freqs.weight");
        assertThat(written(LONGROPE.replace("longrope", "su")))
                .containsEntry("scaling.type", GgufValue.string("longrope"))
                .containsOnlyKeys("scaling.type", "scaling.original_context_length", "scaling.attn_factor");
        assertThat(open(stretched("LlamaForCausalLM", LONGROPE)).tensors())
                .extracting("name")
                .contains("rope_factors_long.weight", "rope_factors_short.weight");
    }

    @Test
    void whatLlamaCppDoesNotReadOfYarnIsSaid() throws IOException {
        Converter converter = open(stretched("LlamaForCausalLM", YARN.replace("}", ", 'beta_fast': 48}")));
        assertThat(converter.write(folder.resolve("model.gguf"), Progress.NONE).warnings())
                .containsExactly("the model's YaRN has the beta_fast 48.00, llama.cpp computes with 32.00:"
                        + " texts may come out worse");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "LlamaForCausalLM | {'rope_type': 'proportional'} | is of type 'proportional', known are default",
                "LlamaForCausalLM | {'rope_type': 'linear'} | has no factor",
                "LlamaForCausalLM | {'rope_type': 'yarn', 'factor': 0} | factor is 0.0, must be positive",
                "LlamaForCausalLM | {'rope_type': 'longrope'} | longrope needs long_factor with 8 numbers",
                "LlamaForCausalLM | {'partial_rotary_factor': 0.5} | partial_rotary_factor is 0.5",
                "Qwen2ForCausalLM | " + LLAMA3 + " | 'llama3', which llama.cpp computes for Llama, Mistral",
                "OlmoeForCausalLM | " + LONGROPE + " | 'longrope', which llama.cpp computes for Llama, Mistral"
            })
    void whatCannotBeComputedIsRefused(String className, String rope, String problem) throws IOException {
        RandomCheckpoint checkpoint = stretched(className, rope);
        assertThatThrownBy(() -> open(checkpoint))
                .isInstanceOf(ConversionException.class)
                .hasMessageContaining(problem);
    }

    private Map<String, GgufValue> written(String rope) throws IOException {
        String prefix = "llama.rope.";
        return open(stretched("LlamaForCausalLM", rope)).metadata().entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix + "scaling."))
                .collect(Collectors.toMap(entry -> entry.getKey().substring(prefix.length()), Map.Entry::getValue));
    }

    private static RandomCheckpoint stretched(String className, String rope) {
        RandomCheckpoint checkpoint = RandomDecoder.of(className);
        checkpoint.config().add("rope_scaling", json(rope));
        return checkpoint;
    }

    private Converter open(RandomCheckpoint checkpoint) throws IOException {
        Path written = checkpoint.write(folder.resolve("checkpoint"));
        SmallTokenizers.byteLevel(written, SmallTokenizers.QWEN2, true);
        return Converter.open(
                written, ConversionOptions.builder().type(ConversionType.F32).build());
    }

    private static JsonObject json(String text) {
        return JsonParser.parseString(text.replace('\'', '"')).getAsJsonObject();
    }

    private static double distance(float[][] a, float[][] b) {
        double largest = 0;
        for (int t = 0; t < a.length; t++) {
            for (int i = 0; i < a[t].length; i++) {
                largest = Math.max(largest, Math.abs(a[t][i] - b[t][i]));
            }
        }
        return largest;
    }
}
