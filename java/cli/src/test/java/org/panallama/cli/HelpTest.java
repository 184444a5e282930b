package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HelpTest {

    @Test
    void theProgramListsItsCommands() {
        Result result = Result.of("--help");
        assertThat(result.status()).isZero();
        assertThat(result.out()).contains("generate", "chat", "info", "tokenize", "embed", "Examples:");
        assertThat(commands())
                .contains("quantize", "imatrix", "perplexity", "table", "convert", "lora merge", "gguf stack-experts");
        assertThat(result.err()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasExamples(String command) {
        Result result = Result.of((command + " --help").split(" "));
        assertThat(result.status()).isZero();
        assertThat(result.out()).contains("Usage: panallama " + command, "Examples:", "  panallama " + command);
        if (!command.contains(" ")) {
            assertThat(Result.of("help", command).out()).isEqualTo(result.out());
        }
    }

    /** All that the program's help lists, and what the help of some of these lists in turn. */
    private static Stream<String> commands() {
        return listed().flatMap(command ->
                Stream.concat(Stream.of(command), listed(command).map(own -> command + " " + own)));
    }

    private static Stream<String> listed(String... command) {
        String help = Result.of(
                        Stream.concat(Stream.of(command), Stream.of("--help")).toArray(String[]::new))
                .out();
        int list = help.indexOf("\nCommands:\n");
        return list < 0
                ? Stream.of()
                : help.substring(list, help.indexOf("\nExamples:", list))
                        .lines()
                        .filter(line -> line.matches(" {2}\\S.*"))
                        .map(line -> line.strip().split("\\s+")[0])
                        .filter(name -> !name.equals("help"));
    }

    @Test
    void chatHasDefaultsOfItsOwn() {
        assertThat(Result.of("chat", "--help").out().replaceAll("\\s+", " "))
                .contains(
                        "likeliest token (default: 0.2)", "1 for none (default: 1.1)", "probability P (default: 0.9)");
        assertThat(Result.of("generate", "--help").out().replaceAll("\\s+", " "))
                .contains(
                        "likeliest token (default: 0.8)", "1 for none (default: 1.0)", "probability P (default: 0.95)");
    }

    @Test
    void theVersionNamesWhatRuns() {
        Result result = Result.of("--version");
        assertThat(result.status()).isZero();
        assertThat(result.out())
                .contains(
                        "panallama ",
                        "llama.cpp ",
                        "binding ffm",
                        "CPU variant ",
                        "JDK " + System.getProperty("java.version"));
    }

    @Test
    void helpIntoAClosedPipeEndsQuietly() {
        OutputStream closed = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = new Program(Streams.of(InputStream.nullInputStream(), closed, err)).run("--help");
        assertThat(status).isZero();
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }
}
