package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {

    private static final String FRANCE = "法国的英文名是什么？";
    private static final String PRODUCT = "What is 7 times 8?";

    private static Result chat(String input, String... options) {
        String[] args = Stream.concat(Stream.of("chat", "--temp", "0", "-t", "1"), Arrays.stream(options))
                .toArray(String[]::new);
        return Result.withInput(input, args);
    }

    @Test
    void everyLineIsAnswered() {
        Result result = chat(FRANCE + "\n\n" + PRODUCT + "\n/reset\n" + FRANCE);
        assertThat(result.out()).isEqualTo("France\n56\nFrance\n");
        assertThat(result.err()).isEqualTo("forgotten\n");
        assertThat(result.status()).isZero();
    }

    /** Of the second prompt, which holds the first turn, only the question is computed; of the third, what is not in both. */
    @Test
    void turnsAreRememberedUntilReset() {
        Result result = chat(FRANCE + "\n" + PRODUCT + "\n/reset\n" + PRODUCT + "\n", "--timings");
        assertThat(result.err().lines().filter(line -> line.startsWith("prompt:")))
                .hasSize(3)
                .satisfiesExactly(
                        first -> assertThat(first).contains(" 11 tokens"),
                        second -> assertThat(second).contains(" 15 tokens"),
                        third -> assertThat(third).contains(" 11 tokens"));
    }

    @Test
    void aBackslashContinuesTheLine() {
        assertThat(chat("资料：张三的电话是3817。李四的电话是552。\\\n问题：李四的电话是多少？\n").out()).isEqualTo("552\n");
    }

    @Test
    void conversationsAreSavedAndLoaded(@TempDir Path folder) {
        Path file = folder.resolve("talk.chat");
        Result saved = chat(FRANCE + "\n/save " + file + "\n");
        assertThat(saved.err()).isEqualTo("saved\n");
        assertThat(file).exists();
        Result loaded = chat("/load " + file + "\n/retry\n/undo\n");
        assertThat(loaded.out()).isEqualTo("France\n");
        assertThat(loaded.err()).isEqualTo("loaded 2 messages\ntaken back: " + FRANCE + "\n");
    }

    @Test
    void exitLeavesTheRestUnread() {
        assertThat(chat("/exit\n" + FRANCE).out()).isEmpty();
    }

    @Test
    void commandsThatFailAreReportedAndTheTalkGoesOn(@TempDir Path folder) throws Exception {
        Path text = Files.writeString(folder.resolve("text"), "no conversation, but long enough for a header");
        Result result = chat(
                "/frobnicate\n/save\n/load " + folder.resolve("nowhere") + "\n/load " + text + "\n/retry\n" + FRANCE);
        assertThat(result.out()).isEqualTo("France\n");
        assertThat(result.err())
                .contains(
                        "no command /frobnicate",
                        "/save needs the name of a file",
                        "nowhere",
                        "no saved conversation",
                        "there is no answer to generate anew")
                .doesNotContain("\tat ");
        assertThat(result.status()).isEqualTo(1);
    }

    @Test
    void aSystemMessageIsPartOfThePrompt() {
        Result result = chat(FRANCE + "\n/system\n" + FRANCE + "\n", "--system", "Be brief.", "--timings", "-n", "4");
        assertThat(result.err()
                        .lines()
                        .filter(line -> line.startsWith("prompt:"))
                        .toList()
                        .get(0))
                .doesNotContain(" 11 tokens");
        assertThat(result.err()).contains("no system message");
        assertThat(result.out()).endsWith("France\n");
    }

    @Test
    void theContextFullPolicyIsObeyed() {
        String question = FRANCE.repeat(20) + "\n";
        Result fail = chat(question.repeat(4), "--context-full", "fail", "-c", "256", "-n", "4");
        assertThat(fail.status()).isEqualTo(1);
        assertThat(fail.err()).contains("the context holds 256");
        Result shift = chat(question.repeat(4), "-c", "256", "-n", "4");
        assertThat(shift.status()).as(shift.err()).isZero();
    }

    @Test
    void templatesCanBeChosenByName() {
        assertThat(chat(FRANCE, "--template", "mistral-v1").out()).isEqualTo("France\n");
        Result unknown = chat(FRANCE, "--template", "no-such-template");
        assertThat(unknown.status()).isEqualTo(1);
        assertThat(unknown.err()).contains("no-such-template", "--template", "mistral-v1");
    }
}
