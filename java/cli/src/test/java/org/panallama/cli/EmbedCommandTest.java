package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class EmbedCommandTest {

    @Test
    void vectorsHaveTheModelsWidthAndLengthOne() {
        JsonObject json = Result.of("embed", "法国", "Germany", "--json").json();
        assertThat(json.get("size").getAsInt()).isEqualTo(256);
        assertThat(json.get("pooling").getAsString()).isEqualTo("mean");
        assertThat(json.getAsJsonArray("embeddings")).hasSize(2).allSatisfy(element -> {
            assertThat(element.getAsJsonArray()).hasSize(256);
            assertThat(norm(element.getAsJsonArray())).isCloseTo(1, within(1e-5));
        });
    }

    @Test
    void everyTextHasALine() {
        Result result = Result.withInput("法国\nGermany\n日本\n", "embed", "-f", "-");
        assertThat(result.out().lines()).hasSize(3).allSatisfy(line -> {
            double[] vector = Arrays.stream(line.split(" "))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
            assertThat(vector).hasSize(256);
        });
    }

    @Test
    void lengthsCanStayAsTheyAre() {
        JsonObject json = Result.of("embed", "法国", "--no-normalize", "--json").json();
        assertThat(norm(json.getAsJsonArray("embeddings").get(0).getAsJsonArray()))
                .isGreaterThan(1.5);
    }

    @Test
    void withoutPoolingEveryTokenHasAVector() {
        assertThat(Result.of("embed", "France", "--pooling", "none").out().lines())
                .hasSize(3);
    }

    @Test
    void aTextThatIsTooLongIsRefused() {
        Result result = Result.of("embed", "France ".repeat(50), "-c", "32");
        assertThat(result.status()).isNotZero();
        assertThat(result.err()).contains("32").doesNotContain("\tat ");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void anEmptyFileIsRefused() {
        Result result = Result.withInput("", "embed", "-f", "-");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains("there is no text in it");
    }

    private static double norm(JsonArray vector) {
        double sum = 0;
        for (JsonElement value : vector) {
            sum += value.getAsDouble() * value.getAsDouble();
        }
        return Math.sqrt(sum);
    }
}
