package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What can be seen of a process of its own only: bytes, locale, pipes, signals. */
class ProcessTest {

    private static final byte[] NOTHING = {};

    @Test
    void stdoutIsTheAnswerAlone() throws Exception {
        Result result = Child.run(Map.of("LC_ALL", "C.UTF-8"), NOTHING, "generate", "-p", Result.FRANCE, "--temp", "0");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEqualTo("France\n");
        assertThat(result.err()).doesNotContain("WARNING").hasLineCount(3);
    }

    @Test
    void textIsUtf8InTheCLocale() throws Exception {
        Result result = Child.run(
                Map.of("LC_ALL", "C"),
                "[INST] What is the Chinese name of Japan? [/INST]\n".getBytes(StandardCharsets.UTF_8),
                "generate",
                "-f",
                "-",
                "--temp",
                "0");
        assertThat(result.out()).isEqualTo("日本\n");
        byte[] question = "“床前明月光”的下一句是什么？\n".getBytes(StandardCharsets.UTF_8);
        assertThat(Child.run(Map.of("LC_ALL", "C"), question, "chat", "--temp", "0")
                        .out())
                .isEqualTo("疑是地上霜\n");
    }

    @Test
    void chatReadsItsInputToTheEnd() throws Exception {
        Result result = Child.run(
                Map.of(),
                "What is 7 times 8?\nWhat is 7 times 8?\n".getBytes(StandardCharsets.UTF_8),
                "chat",
                "--temp",
                "0");
        assertThat(result.out()).isEqualTo("56\n56\n");
        assertThat(result.status()).isZero();
    }

    @Test
    void statusesAreThoseOfTheConvention() throws Exception {
        assertThat(Child.run(Map.of(), NOTHING, "generate").status()).isEqualTo(2);
        assertThat(Child.run(Map.of(), NOTHING, "generate", "-p", "a", "-m", "nowhere")
                        .status())
                .isEqualTo(1);
    }

    @Test
    void verboseShowsTheLogOnStderr() throws Exception {
        Result result =
                Child.run(Map.of("LC_ALL", "C.UTF-8"), NOTHING, "generate", "-v", "-p", Result.FRANCE, "--temp", "0");
        assertThat(result.out()).isEqualTo("France\n");
        assertThat(result.err()).contains("print_info: arch");
    }

    /** An answer that does not come to its end: before the context is full, the pipe is, and nobody reads all of that. */
    private static ProcessBuilder endless() {
        return Child.builder(
                Map.of("LC_ALL", "C.UTF-8"),
                "generate",
                "-p",
                "[INST] 背诵李白的诗。 [/INST]",
                "--ignore-eos",
                "-t",
                "1",
                "-c",
                "65536");
    }

    @Test
    void aReaderThatLeavesEndsItQuietly() throws Exception {
        Process process = endless().start();
        try {
            CompletableFuture<String> err = Child.text(process.getErrorStream());
            InputStream out = process.getInputStream();
            assertThat(out.read()).isPositive();
            out.close();
            Result result = Child.finished(process, CompletableFuture.completedFuture(""), err);
            assertThat(result.status()).isZero();
            // A warning of the context's length, and nothing else.
            assertThat(result.err()).contains("65536 tokens is longer than").hasLineCount(1);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsAnError() throws Exception {
        Process process = Child.builder(Map.of("LC_ALL", "C.UTF-8"), "generate", "-p", Result.FRANCE, "--temp", "0")
                .redirectOutput(new File("/dev/full"))
                .start();
        Result result =
                Child.finished(process, CompletableFuture.completedFuture(""), Child.text(process.getErrorStream()));
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("cannot write to stdout").doesNotContain("\tat ");
    }
}
