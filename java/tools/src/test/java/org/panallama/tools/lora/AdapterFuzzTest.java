package org.panallama.tools.lora;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.convert.SmallCheckpoints;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsDamage;

/**
 * Converts and merges adapters of which one file, or one of their base, is damaged: either the result is whole, or there is
 * none. See {@link FuzzLoop} for more of them.
 */
class AdapterFuzzTest {

    private static final int CASES = 1000;

    // What the sound files take besides the damaged one, and the threads' and writers' buffers.
    private static final int BASE_BYTES = 3 << 20;
    private static final int BYTES_PER_BYTE = 100;

    private static final ConversionOptions OPTIONS =
            ConversionOptions.builder().type(ConversionType.F32).threads(1).build();
    private static final MergeOptions MERGE = MergeOptions.builder().threads(1).build();
    private static final String LAYER = "base_model.model.model.layers.0.";

    @TempDir
    private Path folder;

    private Path checkpoint;
    private Path gguf;
    private Path output;

    private interface Work {
        void run(Path adapter) throws IOException;
    }

    /** A file that will be damaged, and what the adapter is used for. */
    private record Part(Path file, byte[] sound, Path adapter, Work work) {}

    @Test
    void aDamagedAdapterIsUsedOrRefused() throws Exception {
        List<Part> parts = parts();
        for (Part part : parts) {
            assertThat(uses(part)).as(part.toString()).isTrue();
        }
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> damaged(parts, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    Part part = parts.get(bytes[0] & 0xFF);
                    FuzzLoop.put(part.file(), Arrays.copyOfRange(bytes, 1, bytes.length));
                    try {
                        return uses(part);
                    } finally {
                        FuzzLoop.put(part.file(), part.sound());
                    }
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    private boolean uses(Part part) throws IOException {
        try {
            part.work().run(part.adapter());
        } catch (LlamaException e) {
            assertThat(e).hasMessageContaining(folder.toString());
            assertThat(leavings()).isEmpty();
            return false;
        }
        List<Path> made = leavings();
        assertThat(made).hasSize(1);
        check(made.get(0), part.file().toString().endsWith(".json"));
        return true;
    }

    /** Whatever a configuration says, no number becomes infinite that was not. */
    private void check(Path made, boolean finite) throws IOException {
        if (Files.isDirectory(made)) {
            assertThat(Safetensors.open(made).tensors())
                    .hasSameSizeAs(Safetensors.open(checkpoint).tensors());
            for (Path file : files(made)) {
                Files.delete(file);
            }
        } else {
            GgufFile file = GgufFile.open(made);
            for (GgufTensor tensor : file.tensors()) {
                ByteBuffer data = ByteBuffer.allocate((int) tensor.bytes()).order(file.order());
                file.read(tensor, 0, data);
                if (finite && tensor.ggmlType() == GgmlType.F32) {
                    float[] values = new float[(int) tensor.elements()];
                    data.flip().asFloatBuffer().get(values);
                    for (float value : values) {
                        assertThat(value).as(tensor.name()).isFinite();
                    }
                }
            }
        }
        Files.delete(made);
    }

    private List<Path> leavings() throws IOException {
        return files(output);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    /** The number of the part, and its damaged content. */
    private static byte[] damaged(List<Part> parts, Random random) {
        int number = random.nextInt(parts.size());
        List<byte[]> sound = List.of(parts.get(number).sound());
        String name = parts.get(number).file().toString();
        byte[] content = name.endsWith(".json")
                ? Damage.text(sound, random)
                : name.endsWith(".gguf") ? Damage.bytes(sound, random) : SafetensorsDamage.of(sound, random);
        byte[] all = new byte[1 + content.length];
        all[0] = (byte) number;
        System.arraycopy(content, 0, all, 1, content.length);
        return all;
    }

    private List<Part> parts() throws IOException {
        output = Files.createDirectory(folder.resolve("output"));
        Path whole = SmallCheckpoints.byteLevel(folder.resolve("whole"));
        gguf = Fixture.converted(whole, ConversionType.F16, folder.resolve("base.gguf"));
        checkpoint = Files.createDirectory(folder.resolve("base"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(whole.resolve(name), checkpoint.resolve(name));
        }
        Path dense = dense().write(folder.resolve("dense"));
        Path saved = saved().write(folder.resolve("saved"));
        Path activated = activated().write(folder.resolve("activated"));
        Path converted = Fixture.convertedAdapter(dense, checkpoint, folder.resolve("dense.gguf"));
        List<Part> parts = new ArrayList<>();
        for (Path adapter : List.of(dense, saved)) {
            for (Path file : files(adapter)) {
                add(parts, file, adapter, this::convert);
                add(parts, file, adapter, this::convertForGguf);
                add(parts, file, adapter, this::mergeIntoCheckpoint);
                add(parts, file, adapter, this::mergeIntoGguf);
            }
        }
        for (Path file : files(activated)) {
            add(parts, file, activated, this::convert);
        }
        add(parts, converted, converted, this::mergeIntoGguf);
        add(parts, converted, converted, this::mergeIntoGguf);
        add(parts, gguf, converted, this::mergeIntoGguf);
        add(parts, gguf, saved, this::mergeIntoGguf);
        add(parts, gguf, saved, this::convertForGguf);
        add(parts, checkpoint.resolve("config.json"), saved, this::convert);
        add(parts, checkpoint.resolve("config.json"), dense, this::convert);
        add(parts, checkpoint.resolve("model.safetensors"), saved, this::convert);
        add(parts, checkpoint.resolve("model.safetensors"), dense, this::mergeIntoCheckpoint);
        return parts;
    }

    private static void add(List<Part> parts, Path file, Path adapter, Work work) throws IOException {
        parts.add(new Part(file, Files.readAllBytes(file), adapter, work));
    }

    private void convert(Path adapter) {
        LoraConverter.open(adapter, checkpoint, OPTIONS).write(output.resolve("lora.gguf"), Progress.NONE);
    }

    private void convertForGguf(Path adapter) {
        LoraConverter.open(adapter, gguf, OPTIONS).write(output.resolve("lora.gguf"), Progress.NONE);
    }

    private void mergeIntoCheckpoint(Path adapter) {
        CheckpointMerger.open(checkpoint, List.of(WeightedAdapter.of(adapter)), MERGE)
                .write(output.resolve("merged"), Progress.NONE);
    }

    private void mergeIntoGguf(Path adapter) {
        GgufMerger.open(gguf, List.of(new WeightedAdapter(adapter, 0.5f)), MERGE)
                .write(output.resolve("merged.gguf"), Progress.NONE);
    }

    private static AlteredAdapter dense() {
        String moe = LAYER + "block_sparse_moe.";
        return pair(AlteredAdapter.empty(2, 4), LAYER + "self_attn.q_proj", 4, 4, 2)
                .set("rank_pattern", "{\"gate\": 1, \"experts\\\\.\\\\d+\\\\.w2\": 3}")
                .set("alpha_pattern", "{\"w2\": 1.5, \"q_proj\": 16}")
                .random(moe + "gate.lora_A.weight", 1, 4, 3)
                .random(moe + "gate.lora_B.weight", 2, 1, 4)
                .random(moe + "experts.1.w2.lora_A.weight", 3, 6, 5)
                .random(moe + "experts.1.w2.lora_B.weight", 4, 3, 6)
                .random("base_model.model.model.embed_tokens.lora_embedding_A", 2, 8, 7)
                .random("base_model.model.model.embed_tokens.lora_embedding_B", 4, 2, 8);
    }

    private static AlteredAdapter saved() {
        return pair(AlteredAdapter.empty(2, 4), LAYER + "self_attn.o_proj", 4, 4, 2)
                .set("use_rslora", "true")
                .set("fan_in_fan_out", "false")
                .set("bias", "\"none\"")
                .set("modules_to_save", "[\"lm_head\"]")
                .random("base_model.model.lm_head.weight", 8, 4, 9);
    }

    private static AlteredAdapter activated() {
        return pair(AlteredAdapter.empty(2, 4), LAYER + "self_attn.v_proj", 4, 4, 2)
                .set("alora_invocation_tokens", "[1, 2]")
                .set("fan_in_fan_out", "true");
    }

    private static AlteredAdapter pair(AlteredAdapter adapter, String module, int rows, int columns, int rank) {
        return adapter.random(module + ".lora_A.weight", rank, columns, 1)
                .random(module + ".lora_B.weight", rows, rank, 2);
    }
}
