package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ctrl-C: a process of the program, and the signal that a terminal sends it. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "processes cannot be sent signals there")
class InterruptionTest {

    private static final String INTERRUPTED = "panallama: interrupted\n";
    private static final int STATUS = 128 + 2; // and the signal's number

    @TempDir
    private static Path inputs;

    @TempDir
    private Path outputs;

    @BeforeAll
    static void writeInputs() throws Exception {
        SparseCheckpoint.write(inputs.resolve("checkpoint"));
        SparseCheckpoint.writeAdapter(inputs.resolve("adapter"));
        try (InputStream in = InterruptionTest.class.getResourceAsStream("/tiny-mixtral/eval.txt")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            Files.writeString(inputs.resolve("text"), text.repeat(20));
        }
    }

    /**
     * Each takes ten seconds or more, what is computed in Java because it is interpreted, and is interrupted as soon as there is
     * an output to be finished.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-Xint|convert IN/checkpoint -o OUT/model --type q8_0|''",
                "-Xint|lora merge --base IN/checkpoint --lora IN/adapter -o OUT/merged|''",
                "-XX:TieredStopAtLevel=1|quantize -o OUT/model --type IQ3_S|''",
                "-XX:TieredStopAtLevel=1|perplexity -f IN/text --save-logits OUT/logits|''",
                "-XX:TieredStopAtLevel=1|imatrix -f IN/text -o OUT/matrix --save-every 1|matrix", // to go on with
                "-XX:TieredStopAtLevel=1|table -f IN/text -o OUT --types F16|state.json"
            })
    void longWorkSaysThatItIsInterruptedAndLeavesNothingHalfDone(String option, String command, String left)
            throws Exception {
        String[] args = (command + " -t 1").split(" ");
        for (int i = 0; i < args.length; i++) {
            args[i] = args[i].replace("IN", inputs.toString()).replace("OUT", outputs.toString());
        }
        ProcessBuilder builder = child(args);
        builder.command().add(builder.command().indexOf("-cp"), option);
        Process process = builder.start();
        try {
            CompletableFuture<String> out = Child.text(process.getInputStream());
            CompletableFuture<String> err = Child.text(process.getErrorStream());
            while (outputs().isEmpty() && process.isAlive()) {
                Thread.sleep(1);
            }
            interrupt(process);
            Result result = Child.finished(process, out, err);
            assertThat(result.err()).isEqualTo(INTERRUPTED);
            assertThat(result.out()).isEmpty();
            assertThat(result.status()).isEqualTo(STATUS);
            assertThat(String.join(" ", outputs())).isEqualTo(left);
        } finally {
            process.destroyForcibly();
        }
    }

    private List<String> outputs() throws Exception {
        try (Stream<Path> files = Files.list(outputs)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @Test
    void aGenerationPrintsWhatItHas() throws Exception {
        // Before the context is full, the pipe is, and nobody reads all of that.
        Process process = child("generate", "-p", "[INST] 背诵李白的诗。 [/INST]", "--ignore-eos", "-t", "1", "-c", "65536")
                .start();
        try {
            CompletableFuture<String> err = Child.text(process.getErrorStream());
            InputStream out = process.getInputStream();
            assertThat(out.read()).isPositive();
            interrupt(process);
            interrupt(process); // changes nothing
            Result result = Child.finished(process, Child.text(out), err);
            assertThat(result.status()).isEqualTo(STATUS);
            assertThat(result.out()).endsWith("\n");
            assertThat(result.err())
                    .contains("generation:")
                    .endsWith(INTERRUPTED)
                    .containsOnlyOnce(INTERRUPTED);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void whoWaitsForInputEndsAtOnce() throws Exception {
        Process process = child("chat", "--temp", "0", "-t", "1").start();
        try (OutputStream in = process.getOutputStream()) {
            CompletableFuture<String> err = Child.text(process.getErrorStream());
            in.write("What is 7 times 8?\n".getBytes(StandardCharsets.UTF_8));
            in.flush();
            InputStream out = process.getInputStream();
            assertThat(new String(out.readNBytes(3), StandardCharsets.UTF_8)).isEqualTo("56\n");
            interrupt(process);
            Result result = Child.finished(process, Child.text(out), err);
            assertThat(result.status()).isEqualTo(STATUS);
            assertThat(result.out()).isEmpty();
            assertThat(result.err()).isEqualTo(INTERRUPTED);
        } finally {
            process.destroyForcibly();
        }
    }

    /** A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C; this undoes it. */
    private static ProcessBuilder child(String... args) {
        ProcessBuilder builder = Child.builder(Map.of("LC_ALL", "C.UTF-8"), args);
        if (OS.LINUX.isCurrentOs()) {
            builder.command().addAll(0, List.of("env", "--default-signal=INT"));
        }
        return builder;
    }

    private static void interrupt(Process process) throws Exception {
        new ProcessBuilder("sh", "-c", "kill -INT " + process.pid()).start().waitFor();
    }
}
