package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {

    private static final String COUNTRY = "[INST] 以JSON输出德国的信息。 [/INST]";

    /** With one thread: several would wait for each other on a busy machine. */
    private static Result generate(String... options) {
        return Result.of(Stream.concat(Stream.of("generate", "-t", "1"), Arrays.stream(options))
                .toArray(String[]::new));
    }

    @Test
    void theAnswerIsAloneOnStdout() {
        Result result = generate("-p", Result.FRANCE, "--temp", "0");
        assertThat(result.out()).isEqualTo("France\n");
        assertThat(result.status()).isZero();
        assertThat(result.err()).contains("load:", "prompt:     11 tokens", "generation: 3 tokens", "tokens/s");
    }

    @Test
    void greedyTokensAreThoseOfTheOtherImplementation() throws Exception {
        try (Reader reader = new InputStreamReader(
                getClass().getResourceAsStream("/tiny-mixtral/expected.json"), StandardCharsets.UTF_8)) {
            for (JsonElement element : JsonParser.parseReader(reader).getAsJsonArray()) {
                JsonObject expected = element.getAsJsonObject();
                String prompt = expected.get("prompt").getAsString();
                int count = expected.get("ids").getAsJsonArray().size();
                JsonObject json = generate("-p", prompt, "--temp", "0", "-n", String.valueOf(count), "--json")
                        .json();
                assertThat(json.get("tokens")).as(prompt).isEqualTo(expected.get("ids"));
                assertThat(json.get("text")).as(prompt).isEqualTo(expected.get("text"));
            }
        }
    }

    @Test
    void jsonTellsAll() {
        Result result = generate("-p", Result.FRANCE, "--temp", "0", "--json", "--logprobs=3");
        JsonObject json = result.json();
        assertThat(result.out()).endsWith("}\n").hasLineCount(1);
        assertThat(json.get("text").getAsString()).isEqualTo("France");
        assertThat(json.get("tokens").toString()).isEqualTo("[870,423,2]");
        assertThat(json.get("finish_reason").getAsString()).isEqualTo("end_of_generation");
        assertThat(json.getAsJsonObject("usage").toString())
                .isEqualTo("{\"prompt_tokens\":11,\"generated_tokens\":3,\"total_tokens\":14}");
        assertThat(json.getAsJsonObject("timings").keySet())
                .contains("load_ms", "prompt_tokens_per_second", "generated_tokens_per_second");
        JsonObject first = json.getAsJsonArray("logprobs").get(0).getAsJsonObject();
        assertThat(first.get("id").getAsInt()).isEqualTo(870);
        assertThat(first.get("logprob").getAsDouble()).isCloseTo(0, within(0.01));
        assertThat(first.getAsJsonArray("top")).hasSize(3);
    }

    @Test
    void logprobsWithoutJsonGoToStderr() {
        Result result = generate("-p", Result.FRANCE, "--temp", "0", "--logprobs");
        assertThat(result.out()).isEqualTo("France\n");
        assertThat(result.err()).contains("\" Fran\"", "\"ce\"");
    }

    @Test
    void aSeedGivesTheSameTextAgain() {
        String[] args = {"-p", "[INST] 背诵", "--temp", "2", "--top-k", "0", "-n", "12", "--json", "--seed"};
        JsonObject first = generate(with(args, "7")).json();
        assertThat(first.get("seed").getAsInt()).isEqualTo(7);
        assertThat(generate(with(args, "7")).json().get("tokens")).isEqualTo(first.get("tokens"));
        assertThat(generate(with(args, "8")).json().get("tokens")).isNotEqualTo(first.get("tokens"));
    }

    @Test
    void aSeedThatWasDrawnIsReported() {
        String[] args = {"-p", "[INST] 背诵", "--temp", "2", "-n", "12", "--json"};
        JsonObject drawn = generate(args).json();
        JsonObject again =
                generate(with(args, "--seed=" + drawn.get("seed").getAsLong())).json();
        assertThat(again.get("tokens")).isEqualTo(drawn.get("tokens"));
    }

    @Test
    void stopStringsEndTheText() {
        Result result = generate("-p", COUNTRY, "--temp", "0", "--json", "--stop", "never", "--stop", "many\", \"zh");
        assertThat(result.json().get("text").getAsString()).isEqualTo("{\"name\": \"Ger");
        assertThat(result.json().get("finish_reason").getAsString()).isEqualTo("stop_string");
    }

    @Test
    void maxTokensEndTheText() {
        JsonObject json =
                generate("-p", COUNTRY, "--temp", "0", "-n", "2", "--json").json();
        assertThat(json.getAsJsonArray("tokens")).hasSize(2);
        assertThat(json.get("finish_reason").getAsString()).isEqualTo("max_tokens");
        assertThat(generate("-p", COUNTRY, "-n", "0").out()).isEqualTo("\n");
    }

    @Test
    void ignoringTheEndGoesOn() {
        JsonObject json = generate("-p", Result.FRANCE, "--temp", "0", "-n", "6", "--ignore-eos", "--json")
                .json();
        assertThat(json.getAsJsonArray("tokens")).hasSize(6);
    }

    @Test
    void theContextIsTheLimit() {
        JsonObject json = generate("-p", Result.FRANCE, "--temp", "0", "-c", "16", "--ignore-eos", "--json")
                .json();
        assertThat(json.get("finish_reason").getAsString()).isEqualTo("context_full");
        assertThat(json.getAsJsonObject("usage").get("total_tokens").getAsInt()).isBetween(256, 257);
    }

    @Test
    void aPromptLongerThanTheContextIsRefusedWithTheOption() {
        Result result = generate("-p", "法国".repeat(300), "-c", "256");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("tokens, the context holds 256", "open a longer context with -c");
    }

    @Test
    void grammarsShapeTheText(@TempDir Path folder) throws Exception {
        assertThat(generate("-p", Result.FRANCE, "--grammar", "root ::= \" yes\" | \" no\"")
                        .out())
                .isIn("yes\n", "no\n");
        Path file = Files.writeString(folder.resolve("digits.gbnf"), "root ::= [0-9]{3}\n");
        assertThat(generate("-p", Result.FRANCE, "--grammar-file", file.toString())
                        .out())
                .matches("[0-9]{3}\n");
    }

    @Test
    void aMalformedGrammarIsNamed() {
        Result result = generate("-p", "a", "--grammar", "root ::= (");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("grammar").doesNotContain("\tat ");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void promptsComeFromFilesAndStdin(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("prompt.txt"), Result.FRANCE + "\n");
        assertThat(generate("-f", file.toString(), "--temp", "0").out()).isEqualTo("France\n");
        assertThat(Result.withInput(Result.FRANCE + "\n", "generate", "-t", "1", "-f", "-", "--temp", "0")
                        .out())
                .isEqualTo("France\n");
    }

    @Test
    void optionsOfTheModelAndContextAreTaken() {
        Result result = generate(
                "-p",
                Result.FRANCE,
                "--temp",
                "0",
                "-ngl",
                "0",
                "--experts-on-cpu",
                "--no-mmap",
                "--kv-type",
                "q8_0,q4_0",
                "-c",
                "0");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEqualTo("France\n");
    }

    private static String[] with(String[] args, String last) {
        String[] all = Arrays.copyOf(args, args.length + 1);
        all[args.length] = last;
        return all;
    }
}
