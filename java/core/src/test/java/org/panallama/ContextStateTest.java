package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

@Tag("native")
class ContextStateTest {

    private static Model model;

    @TempDir
    Path folder;

    private Context context;
    private int[] prompt;

    @BeforeAll
    static void load() {
        model = Tiny.model();
    }

    @AfterAll
    static void closeModel() {
        model.close();
    }

    @BeforeEach
    void open() {
        context = model.newContext(Tiny.context().sequences(2).build());
        prompt = model.vocab().tokenize(Tiny.POEM);
        context.decode(prompt);
    }

    @AfterEach
    void close() {
        context.close();
    }

    private static Context another() {
        return model.newContext(Tiny.context().sequences(2).build());
    }

    private static float[] next(Context context) {
        context.decode(300);
        return context.logits(-1).toArray();
    }

    @Test
    void aFileRestoresInAnotherContext() {
        Path file = folder.resolve("whole.state");
        context.state().save(file, prompt);
        float[] expected = next(context);
        try (Context other = another()) {
            assertThat(other.state().restore(file)).containsExactly(prompt);
            assertThat(other.memory().maxPosition(0)).isEqualTo(prompt.length - 1);
            assertThat(next(other)).containsExactly(expected);
        }
        assertThat(folder).isDirectoryNotContaining("glob:**.tmp");
    }

    @Test
    void bytesRestoreInAnotherContext() {
        byte[] bytes = context.state().toBytes();
        float[] expected = next(context);
        try (Context other = another()) {
            assertThat(other.state().fromBytes(bytes)).isEmpty();
            assertThat(next(other)).containsExactly(expected);
        }
    }

    @Test
    void aSequenceRestoresUnderAnotherNumber() {
        Path file = folder.resolve("one.state");
        context.state().saveSequence(file, 0, 7, 8);
        byte[] bytes = context.state().sequenceToBytes(0);
        try (Context other = another()) {
            assertThat(other.state().restoreSequence(file, 1)).containsExactly(7, 8);
            assertThat(other.memory().maxPosition(1)).isEqualTo(prompt.length - 1);
            assertThat(other.memory().maxPosition(0)).isEqualTo(-1);
            other.state().sequenceFromBytes(0, bytes);
            assertThat(other.memory().maxPosition(0)).isEqualTo(prompt.length - 1);
        }
    }

    @Test
    void everyDamageIsFound() {
        byte[] bytes = context.state().toBytes(1, 2, 3);
        Random random = new Random(1);
        try (Context other = another()) {
            for (int round = 0; round < 300; round++) {
                byte[] damaged = bytes.clone();
                int at = round < 120 ? round : random.nextInt(bytes.length);
                damaged[at] ^= (byte) (1 << random.nextInt(8));
                assertThatThrownBy(() -> other.state().fromBytes(damaged)).isInstanceOf(LlamaException.class);
            }
            for (int length : new int[] {0, 7, 40, 63, 80, 200, bytes.length - 1}) {
                assertThatThrownBy(() -> other.state().fromBytes(Arrays.copyOf(bytes, length)))
                        .isInstanceOf(LlamaException.class);
            }
            other.state().fromBytes(bytes);
        }
    }

    @Test
    void statesThatDoNotFitAreRefused() throws IOException {
        byte[] whole = context.state().toBytes();
        byte[] sequence = context.state().sequenceToBytes(0);
        assertThatThrownBy(() -> context.state().fromBytes(sequence)).hasMessageContaining("one sequence");
        assertThatThrownBy(() -> context.state().sequenceFromBytes(0, whole)).hasMessageContaining("whole context");
        assertThatThrownBy(() -> context.state().sequenceFromBytes(2, sequence))
                .isInstanceOf(IndexOutOfBoundsException.class);
        try (Context otherTypes = model.newContext(Tiny.context()
                .sequences(2)
                .kvTypes(TensorType.F32, TensorType.F32)
                .build())) {
            assertThatThrownBy(() -> otherTypes.state().fromBytes(whole))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining("does not fit");
        }
        try (Model other = Model.load(
                        TinyModel.path(),
                        ModelOptions.builder()
                                .metadata("llama.context_length", 512)
                                .build());
                Context ofOther = other.newContext(Tiny.context().sequences(2).build())) {
            ofOther.state().fromBytes(whole); // the same file, with an override that changes nothing in the cache
        }
        assertThatThrownBy(() -> context.state().restore(folder.resolve("none")))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("none");
        assertThatThrownBy(
                        () -> context.state().restore(Files.writeString(folder.resolve("text"), "no state".repeat(20))))
                .hasMessageContaining("no saved state");
        assertThatThrownBy(() ->
                        context.state().save(folder.resolve("no-such-folder").resolve("x")))
                .isInstanceOf(LlamaException.class);
    }
}
