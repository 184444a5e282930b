package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;

/** Of the smallest model, whose embedding is its output matrix too. */
class AdapterPreflightTest {

    @TempDir
    Path folder;

    @Test
    void anEmbeddingThatIsTheOutputTooCannotBeChanged() {
        AdapterWriter adapter = new AdapterWriter(1)
                .half("token_embd.weight.lora_a", List.of(4L, 259L))
                .half("token_embd.weight.lora_b", List.of(4L, 32L));
        assertThatThrownBy(() -> check(SmallModel.writer(), adapter))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("merge the adapter");
        GgufWriter untied = SmallModel.writer().tensor("output.weight", TensorType.F16, 32, 259);
        assertThatCode(() -> check(untied, adapter)).doesNotThrowAnyException();
        GgufWriter encoder = SmallModel.writer().put("llama.attention.causal", false);
        assertThatCode(() -> check(encoder, adapter)).doesNotThrowAnyException();
    }

    @Test
    void aFileThatIsCutOffIsRefused() throws Exception {
        Path adapter = new AdapterWriter(1)
                .pair("blk.0.attn_q.weight", 32, 32, 0, 4, new Random(1))
                .write(folder.resolve("adapter.gguf"));
        byte[] bytes = Files.readAllBytes(adapter);
        Files.write(adapter, Arrays.copyOf(bytes, bytes.length - 1));
        Path model = SmallModel.writer().write(folder.resolve("model.gguf"));
        assertThatThrownBy(() -> AdapterPreflight.check(adapter, List.of(model)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("cut off");
    }

    private void check(GgufWriter model, AdapterWriter adapter) {
        AdapterPreflight.check(
                adapter.write(folder.resolve("adapter.gguf")), List.of(model.write(folder.resolve("model.gguf"))));
    }
}
