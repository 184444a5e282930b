package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

class GgufFileTest {

    @TempDir
    private Path folder;

    @Test
    void readsARealModel() throws IOException {
        GgufFile file = GgufFile.open(TinyModel.path());

        assertThat(file.version()).isEqualTo(3);
        assertThat(file.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
        assertThat(file.alignment()).isEqualTo(32);
        assertThat(file.size()).isEqualTo(Files.size(TinyModel.path()));
        assertThat(file.string("general.architecture")).hasValue("llama");
        assertThat(file.integer("llama.expert_count").getAsLong()).isPositive();
        assertThat(file.number("llama.attention.layer_norm_rms_epsilon").getAsDouble())
                .isBetween(1e-7, 1e-3);
        assertThat(file.string("llama.expert_count")).isEmpty();
        assertThat(file.bool("none")).isEmpty();
        GgufValue tokens = file.metadata().get("tokenizer.ggml.tokens");
        assertThat(tokens.strings())
                .hasSize(tokens.length())
                .contains("<s>", "</s>")
                .last()
                .isEqualTo(tokens.string(tokens.length() - 1));
        GgufTensor embedding = file.tensor("token_embd.weight").orElseThrow();
        assertThat(embedding.ggmlType()).isEqualTo(GgmlType.F16);
        assertThat(embedding.dimension(1)).isEqualTo(tokens.length());
        assertThat(GgufValidator.check(TinyModel.path())).isEmpty();
    }

    @Test
    void givesTheSameDataInEveryWay() throws IOException {
        GgufFile file = GgufFile.open(TinyModel.path());
        byte[] all = Files.readAllBytes(TinyModel.path());
        for (GgufTensor tensor : file.tensors()) {
            ByteBuffer expected = ByteBuffer.wrap(all, (int) file.offset(tensor), (int) tensor.bytes());
            assertThat(file.map(tensor)).isEqualTo(expected);
            ByteArrayOutputStream transferred = new ByteArrayOutputStream();
            file.transferTo(tensor, Channels.newChannel(transferred));
            assertThat(ByteBuffer.wrap(transferred.toByteArray())).isEqualTo(expected);
            ByteBuffer chunks = ByteBuffer.allocate((int) tensor.bytes());
            file.readChunks(tensor, 1000, chunks::put);
            assertThat(chunks.flip()).isEqualTo(expected);
        }
        GgufTensor last = file.tensors().get(file.tensors().size() - 1);
        assertThat(file.map(last, last.bytes() - 2, 2))
                .isEqualTo(ByteBuffer.wrap(all, (int) (file.offset(last) + last.bytes() - 2), 2));
        assertThatThrownBy(() -> file.map(last, last.bytes() - 2, 3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> file.offset(GgufTensor.of("none", GgmlType.F32, List.of(1L))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** The file is sparse and takes no space. */
    @Test
    void readsTensorsBeyondFourGigabytes() throws IOException {
        GgufTensor small = GgufTensor.of("a", GgmlType.F32, List.of(8L));
        GgufTensor large = GgufTensor.of("b", GgmlType.Q8_0, List.of(4096L, 1L << 20));
        GgufTensor last = GgufTensor.of("c", GgmlType.F32, List.of(1L));
        assertThat(large.bytes()).isGreaterThan(4L << 30);
        Path path = folder.resolve("large.gguf");
        byte[] header = HeaderBytes.of(List.of(small, large, last), List.of(0L, 32L, 32 + large.bytes()));
        long end = header.length + 32 + large.bytes() + 4;
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.wrap(header));
            channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), end - 4);
        }
        GgufFile file = GgufFile.open(path);
        assertThat(GgufValidator.check(path)).isEmpty();
        assertThat(file.map(last)).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}));
        assertThat(file.map(large, large.bytes() - 5, 5)).isEqualTo(ByteBuffer.allocate(5));
        assertThatThrownBy(() -> file.map(large)).hasMessageContaining("windows");
    }
}
