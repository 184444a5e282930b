package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TokenizeCommandTest {

    @Test
    void idsAreThoseOfTheOtherImplementation() throws Exception {
        try (Reader reader = new InputStreamReader(
                getClass().getResourceAsStream("/tiny-mixtral/expected.json"), StandardCharsets.UTF_8)) {
            for (JsonElement element : JsonParser.parseReader(reader).getAsJsonArray()) {
                JsonObject expected = element.getAsJsonObject();
                JsonObject json = Result.of("tokenize", expected.get("prompt").getAsString(), "--json")
                        .json();
                assertThat(json.get("ids")).isEqualTo(expected.get("prompt_ids"));
                assertThat(json.getAsJsonArray("pieces")).hasSameSizeAs(json.getAsJsonArray("ids"));
            }
        }
    }

    @Test
    void bytesOfPartialCharactersAreShown() {
        assertThat(Result.of("tokenize", "你好", "--json").out())
                .isEqualTo(
                        "{\"ids\":[1,2418,231,192,163,2906],\"pieces\":[\"<s>\",\" \",\"<0xE4>\",\"<0xBD>\",\"<0xA0>\",\"好\"]}\n");
    }

    @Test
    void linesShowIdAndPiece() {
        assertThat(Result.of("tokenize", "France").out())
                .isEqualTo("     1  \"<s>\"\n   870  \" Fran\"\n   423  \"ce\"\n");
    }

    @Test
    void specialTokensAreOptional() {
        assertThat(Result.of("tokenize", "</s>", "--no-bos", "--json")
                        .json()
                        .get("ids")
                        .toString())
                .isEqualTo("[2]");
        JsonObject plain = Result.of("tokenize", "</s>", "--no-bos", "--no-special", "--json")
                .json();
        assertThat(plain.getAsJsonArray("ids")).hasSizeGreaterThan(1);
        assertThat(Result.of("tokenize", "", "--no-bos", "--json").out()).isEqualTo("{\"ids\":[],\"pieces\":[]}\n");
    }

    @Test
    void stdinIsTakenWhole() {
        JsonObject json =
                Result.withInput("a\n", "tokenize", "-f", "-", "--json").json();
        assertThat(json.get("pieces").toString()).endsWith(",\"\\n\"]");
    }
}
