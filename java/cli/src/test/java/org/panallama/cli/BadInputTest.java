package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.tiny.TinyModel;

class BadInputTest {

    @TempDir
    Path folder;

    private static Arguments usage(String message, String... args) {
        return Arguments.of(message, args);
    }

    static Stream<Arguments> usageErrors() {
        return Stream.of(
                usage("a command is missing"),
                usage("generte", "generte"),
                usage("--frobnicate", "--frobnicate"),
                usage("(-p=TEXT | -f=FILE)", "generate"),
                usage("mutually exclusive", "generate", "-p", "a", "-f", "b"),
                usage("--tmp", "generate", "-p", "a", "--tmp", "0"),
                usage("'x' is not an int", "generate", "-p", "a", "-n", "x"),
                usage("'warm' is not a float", "generate", "-p", "a", "--temp", "warm"),
                usage("--prompt", "generate", "-p"),
                usage("'stray'", "generate", "-p", "a", "stray"),
                usage("temperature is -1.0", "generate", "-p", "a", "--temp", "-1"),
                usage("topP is 1.5", "generate", "-p", "a", "--top-p", "1.5"),
                usage("topK is -3", "generate", "-p", "a", "--top-k", "-3"),
                usage("maxTokens is -2", "generate", "-p", "a", "-n", "-2"),
                usage("threads is 0", "generate", "-p", "a", "-t", "0"),
                usage("length is -5", "generate", "-p", "a", "-c", "-5"),
                usage("'-9' is not a number of layers", "generate", "-p", "a", "-ngl", "-9"),
                usage("give 0 or more, auto or all", "generate", "-p", "a", "-ngl", "some"),
                usage("'CUDA7'; this machine has", "generate", "-p", "a", "--device", "CUDA7"),
                usage("none goes with no other", "generate", "-p", "a", "--device", "none,CPU"),
                usage("device CPU is named twice", "generate", "-p", "a", "--device", "CPU,CPU"),
                usage("'x' is not a float", "generate", "-p", "a", "--tensor-split", "1,x"),
                usage("share is -1.0", "generate", "-p", "a", "--tensor-split", "1,-1"),
                usage("share is NaN", "generate", "-p", "a", "--tensor-split", "NaN"),
                usage("--tensor-split has no share above 0", "generate", "-p", "a", "--tensor-split", "0,0"),
                usage("--split-mode", "generate", "-p", "a", "--split-mode", "diagonal"),
                usage("--main-gpu is -1", "generate", "-p", "a", "--main-gpu", "-1"),
                usage("--n-cpu-moe is -1", "generate", "-p", "a", "--n-cpu-moe", "-1"),
                usage("cannot both be given", "generate", "-p", "a", "--n-cpu-moe", "1", "--cpu-moe"),
                usage("--gpu-margin is -1", "serve", "--gpu-margin", "-1"),
                usage("logprobs is 100000", "generate", "-p", "a", "--logprobs=100000"),
                usage("stop string is empty", "generate", "-p", "a", "--stop", ""),
                usage("grammar is empty", "generate", "-p", "a", "--grammar", " "),
                usage("mutually exclusive", "generate", "-p", "a", "--grammar", "x", "--grammar-file", "y"),
                usage("number format of a KV cache", "generate", "-p", "a", "--kv-type", "q9"),
                usage("cannot be of type Q6_K", "generate", "-p", "a", "--kv-type", "q6_k"),
                usage("weight 'strong'", "generate", "-p", "a", "--lora", "no-such.gguf:strong"),
                usage("Missing required", "tokenize"),
                usage("mutually exclusive", "tokenize", "a", "-f", "b"),
                usage("'b'", "tokenize", "a", "b"),
                usage("cannot be of type Q6_K", "info", "--kv-type", "q6_k"),
                usage("length is -1", "info", "-c", "-1"),
                usage("--context-full", "chat", "--context-full", "explode"),
                usage("temperature is -1.0", "chat", "--temp", "-1"),
                usage("Missing required", "embed"),
                usage("--pooling", "embed", "a", "--pooling", "best"),
                usage("pooling is RANK", "embed", "a", "--pooling", "rank"));
    }

    @ParameterizedTest
    @MethodSource("usageErrors")
    void aWrongCommandLineExitsWith2(String message, String[] args) {
        Result result = Result.of(args);
        assertThat(result.status()).as(result.err()).isEqualTo(2);
        assertThat(result.err())
                .startsWith("panallama: ")
                .contains(message, "--help'")
                .doesNotContain("\tat ");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void aMistypedCommandIsGuessed() {
        assertThat(Result.of("generte").err()).contains("Did you mean: generate");
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "chat", "info", "tokenize", "embed"})
    void everyCommandRefusesModelFilesThatAreNone(String command) throws Exception {
        Path empty = Files.createFile(folder.resolve("empty.gguf"));
        Path text = Files.writeString(folder.resolve("text.gguf"), "once upon a time");
        refuses(command, folder.resolve("nowhere.gguf"), "no such file");
        refuses(command, folder, "is a directory");
        refuses(command, empty, "the file is empty");
        refuses(command, text, "not a GGUF file");
        refuses(command, cut("header.gguf", 20), "header.gguf: ");
        refuses(command, cut("metadata.gguf", 2000), "metadata.gguf: ");
        refuses(command, cut("data.gguf", Files.size(TinyModel.path()) - 1000), "bytes are missing");
    }

    private void refuses(String command, Path model, String message) {
        String[] arguments = switch (command) {
            case "generate" -> new String[] {"-p", "a"};
            case "tokenize", "embed" -> new String[] {"a"};
            default -> new String[0];
        };
        String[] args = Stream.concat(Stream.of(command, "-m", model.toString()), Arrays.stream(arguments))
                .toArray(String[]::new);
        Result result = Result.of(args);
        assertThat(result.status()).as(result.err()).isEqualTo(1);
        assertThat(result.err())
                .startsWith("panallama: ")
                .contains(model.getFileName().toString(), message)
                .doesNotContain("\tat ");
        assertThat(result.out()).isEmpty();
    }

    private Path cut(String name, long length) throws IOException {
        Path file = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(file);
                var in = Files.newInputStream(TinyModel.path())) {
            out.write(in.readNBytes((int) length));
        }
        return file;
    }

    @Test
    void promptFilesAreChecked() throws Exception {
        Path gb18030 = Files.write(folder.resolve("gb.txt"), new byte[] {(byte) 0xB7, (byte) 0xA8, (byte) 0xB9});
        fails(
                "nowhere.txt: no such file",
                "generate",
                "-f",
                folder.resolve("nowhere.txt").toString());
        fails("is a directory", "generate", "-f", folder.toString());
        fails("is not UTF-8 text", "generate", "-f", gb18030.toString());
        fails("nowhere.gbnf: no such file", "generate", "-p", "a", "--grammar-file", "nowhere.gbnf");
        fails("nowhere.gguf", "generate", "-p", "a", "--lora", "nowhere.gguf");
        fails("lora.gguf", "generate", "-p", "a", "--lora", damagedAdapter() + ":0.5");
    }

    private Path damagedAdapter() throws IOException {
        return Files.write(folder.resolve("lora.gguf"), "GGUF nonsense".getBytes(StandardCharsets.UTF_8));
    }

    private static void fails(String message, String... args) {
        Result result = Result.of(args);
        assertThat(result.status()).as(result.err()).isEqualTo(1);
        assertThat(result.err()).contains(message).doesNotContain("\tat ");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void stackTracesAreForVerbose() {
        Result result = Result.of("generate", "-v", "-p", "a", "-m", "nowhere.gguf");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("\tat ", "panallama: nowhere.gguf: no such file");
    }
}
