package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "null",
                "true",
                "-1.5",
                "12345678901234567890",
                "\"\"",
                "[1,[2,{\"a\":null}]]",
                "{\"b\":1,\"a\":\"\\\"\\\\\\u0000\\u001f 你好 😀\"}"
            })
    void whatIsReadIsWrittenAgain(String text) {
        assertThat(Json.write(Json.parse(text))).isEqualTo(text);
    }

    @Test
    void readsSpaceAndEscapes() {
        assertThat(Json.write(Json.parse(" { \"a\\n\\u00e9\\/\" :\t[ 1 ,2 ]\r\n} ")))
                .isEqualTo("{\"a\\u000aé/\":[1,2]}");
    }

    @Test
    void aLoneSurrogateStaysEscaped() {
        assertThat(Json.write("\ud83d")).isEqualTo("\"\\ud83d\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[1",
                "[1,]",
                "{\"a\"}",
                "{a:1}",
                "\"a",
                "\"\\x\"",
                "\"\\u12g4\"",
                "tru",
                "1 2",
                "--1",
                "\"\t\"",
                "nul"
            })
    void damageIsAnError(String text) {
        assertThatThrownBy(() -> Json.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("character");
    }

    @Test
    void depthIsLimited() {
        assertThatThrownBy(() -> Json.parse("[".repeat(100_000)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nests");
    }
}
