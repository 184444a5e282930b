package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufType;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.GgufWriter;
import org.panallama.tiny.TinyModel;

class GgufCommandTest {

    private static final String TINY = TinyModel.path().toString();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"dump", "validate", "set", "split", "merge", "stack-experts", "diff", "hash"})
    void everyCommandHasExamples(String command) {
        Result result = Result.of("gguf", command, "--help");
        assertThat(result.status()).isZero();
        assertThat(result.out()).contains("Usage: panallama gguf " + command, "Examples:");
        assertThat(Result.of("gguf", "--help").out()).contains("\n  " + command);
    }

    @Test
    void aMissingCommandOrFileIsToldAtOnce() {
        assertThat(Result.of("gguf").status()).isEqualTo(2);
        assertThat(Result.of("gguf").err()).contains("a command is missing", "'panallama gguf --help'");
        Result result = Result.of("gguf", "dump", folder.resolve("none.gguf").toString());
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("none.gguf: no such file");
    }

    @Test
    void dumpShowsTheHeader() {
        assertThat(Result.of("gguf", "dump", TINY).out())
                .contains(
                        "GGUF version 3, little-endian, alignment 32",
                        "llama.expert_count (u32) = 8",
                        "(5120 elements)")
                .contains("general.architecture (str) = \"llama\"", "44 F16");
        assertThat(Result.of("gguf", "dump", TINY, "--tensors").out()).contains("token_embd.weight  F16  [");
        JsonObject json = Result.of("gguf", "dump", TINY, "--tensors", "--json").json();
        assertThat(json.getAsJsonArray("tensors")).hasSize(63);
        assertThat(json.getAsJsonObject("metadata")
                        .getAsJsonObject("tokenizer.ggml.tokens")
                        .get("length")
                        .getAsInt())
                .isEqualTo(5120);
    }

    @Test
    void dumpPrintsOneValueAsItIs() {
        assertThat(Result.of("gguf", "dump", TINY, "--key", "general.architecture")
                        .out())
                .isEqualTo("llama\n");
        assertThat(Result.of("gguf", "dump", TINY, "--key", "tokenizer.ggml.tokens")
                        .out()
                        .lines())
                .hasSizeGreaterThanOrEqualTo(5120);
        assertThat(JsonParser.parseString(Result.of("gguf", "dump", TINY, "--json", "--key", "tokenizer.ggml.tokens")
                                .out())
                        .getAsJsonArray())
                .hasSize(5120);
        Result none = Result.of("gguf", "dump", TINY, "--key", "none");
        assertThat(none.err()).contains("no metadata key 'none'");
    }

    @Test
    void setChangesAndAddsValues() throws IOException {
        Path file = Files.copy(TinyModel.path(), folder.resolve("model.gguf"));
        Result inPlace = Result.of("gguf", "set", file.toString(), "llama.context_length=1024");
        assertThat(inPlace.status()).isZero();
        assertThat(inPlace.err()).contains("changed in place");
        Path text = Files.writeString(folder.resolve("text"), "{{ 你好 }}");
        Result anew = Result.of(
                "gguf",
                "set",
                file.toString(),
                "new.flag=true",
                "new.count=7",
                "new.factor=0.5",
                "new.name=seven",
                "new.small:i8=-3",
                "new.list:f32=[1, 2.5]",
                "--from-file",
                "new.text=" + text,
                "--remove",
                "general.name",
                "--rename-tensor",
                "output.weight=head.weight");
        assertThat(anew.err()).contains("written anew");
        GgufFile changed = GgufFile.open(file);
        assertThat(changed.integer("llama.context_length")).hasValue(1024);
        assertThat(changed.bool("new.flag")).hasValue(true);
        assertThat(changed.metadata())
                .containsEntry("new.count", GgufValue.uint32(7))
                .containsEntry("new.factor", GgufValue.float32(0.5f))
                .containsEntry("new.name", GgufValue.string("seven"))
                .containsEntry("new.small", GgufValue.integer(GgufType.INT8, -3))
                .containsEntry("new.list", GgufValue.float32s(1, 2.5f))
                .containsEntry("new.text", GgufValue.string("{{ 你好 }}"))
                .doesNotContainKey("general.name");
        assertThat(changed.tensor("head.weight")).isPresent();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama.context_length=many",
                "llama.context_length=-1",
                "flag:bool=yes",
                "a:u128=1",
                "=1",
                "word",
                "list:i32=[1, {}]"
            })
    void setRefusesWhatHasNoSense(String assignment) throws IOException {
        Path file = Files.copy(TinyModel.path(), folder.resolve("model.gguf"));
        Result result = Result.of("gguf", "set", file.toString(), assignment);
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).startsWith("panallama: ").doesNotContain("should not happen");
        assertThat(Files.mismatch(file, TinyModel.path())).isEqualTo(-1);
    }

    @Test
    void aSplitModelLoadsAndMergesBack() throws IOException {
        String prefix = folder.resolve("part").toString();
        Result plan = Result.of("gguf", "split", TINY, "-o", prefix, "--max-size", "8M", "--dry-run");
        assertThat(plan.out()).contains("part-00001-of-0000");
        Result split = Result.of("gguf", "split", TINY, "-o", prefix, "--max-size", "8M");
        assertThat(split.status()).isZero();
        List<String> parts = split.out().lines().toList();
        assertThat(parts).hasSizeGreaterThan(2).hasSameSizeAs(plan.out().lines().toList());
        assertThat(answer(parts.get(0))).isEqualTo(answer(TINY)).contains("France");

        Path merged = folder.resolve("merged.gguf");
        assertThat(Result.of("gguf", "merge", parts.get(0), "-o", merged.toString())
                        .status())
                .isZero();
        assertThat(Files.mismatch(merged, TinyModel.path())).isEqualTo(-1);
        assertThat(Result.of("gguf", "split", TINY, "-o", prefix, "--max-size", "many")
                        .status())
                .isEqualTo(2);
    }

    @Test
    void oldExpertsAreStackedAndThenLoad() throws IOException {
        Path old = folder.resolve("old.gguf");
        unstack(old);
        assertThat(Result.of("generate", "-m", old.toString(), "-p", Result.FRANCE)
                        .status())
                .isEqualTo(1);
        String stacked = folder.resolve("stacked.gguf").toString();
        Result result = Result.of("gguf", "stack-experts", old.toString(), "-o", stacked);
        assertThat(result.status()).isZero();
        assertThat(result.err()).contains("18 tensors of stacked experts");
        assertThat(Result.of("gguf", "diff", TINY, stacked).status()).isZero();
        assertThat(answer(stacked)).isEqualTo(answer(TINY));
        assertThat(Result.of("gguf", "stack-experts", stacked, "-o", stacked).err())
                .contains("nothing to stack");
    }

    private static String answer(String model) {
        Result result = Result.of("generate", "-m", model, "-p", Result.FRANCE, "--temp", "0", "-n", "16");
        assertThat(result.status()).as(result.err()).isZero();
        return result.out();
    }

    /** As converters wrote models until 2024: each expert in a tensor of its own. */
    private static void unstack(Path target) throws IOException {
        GgufFile file = GgufFile.open(TinyModel.path());
        List<GgufTensor> tensors = new ArrayList<>();
        for (GgufTensor tensor : file.tensors()) {
            if (!tensor.name().contains("_exps.")) {
                tensors.add(tensor);
                continue;
            }
            for (int expert = 0; expert < tensor.dimension(2); expert++) {
                String name = tensor.name().replace("_exps.", "." + expert + ".");
                tensors.add(
                        GgufTensor.of(name, tensor.ggmlType(), tensor.shape().subList(0, 2)));
            }
        }
        try (GgufWriter writer = GgufWriter.create(target, file.metadata(), tensors)) {
            for (GgufTensor tensor : file.tensors()) {
                int pieces = tensor.name().contains("_exps.") ? (int) tensor.dimension(2) : 1;
                int piece = (int) tensor.bytes() / pieces;
                for (int i = 0; i < pieces; i++) {
                    writer.write(file.map(tensor, (long) i * piece, piece));
                }
            }
            writer.finish();
        }
    }

    @Test
    void validateTellsEveryFinding() throws IOException {
        Result sound = Result.of("gguf", "validate", "--data", TINY);
        assertThat(sound.status()).isZero();
        assertThat(sound.out()).isEqualTo(TINY + ": sound\n");
        byte[] bytes = Files.readAllBytes(TinyModel.path());
        String cut = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(bytes, bytes.length / 2))
                .toString();
        Result damaged = Result.of("gguf", "validate", TINY, cut);
        assertThat(damaged.status()).isEqualTo(1);
        assertThat(damaged.out()).contains(cut + ": damage at byte " + bytes.length / 2 + ": the file is cut off");
        Result missing = Result.of("gguf", "validate", folder.resolve("no.gguf").toString(), TINY);
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.out()).isEqualTo(TINY + ": sound\n");
        assertThat(missing.err()).contains("no.gguf: no such file");
        assertThat(JsonParser.parseString(
                                Result.of("gguf", "validate", "--json", cut).out())
                        .getAsJsonArray()
                        .get(0)
                        .getAsJsonObject()
                        .get("severity")
                        .getAsString())
                .isEqualTo("damage");
    }

    @Test
    void diffCompares() throws IOException {
        Path file = Files.copy(TinyModel.path(), folder.resolve("model.gguf"));
        Result.of("gguf", "set", file.toString(), "general.name=Other");
        Result diff = Result.of("gguf", "diff", TINY, file.toString());
        assertThat(diff.status()).isEqualTo(1);
        assertThat(diff.out()).startsWith("value of general.name: ").contains("'Other'");
        assertThat(JsonParser.parseString(Result.of("gguf", "diff", "--json", TINY, file.toString())
                                .out())
                        .getAsJsonArray())
                .hasSize(1);
    }
}
