package org.panallama;

import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What another implementation (PyTorch, float32) computed with the tiny model.
 *
 * @param ids greedy continuation
 * @param ended whether the next token would be the end of generation
 * @param topFirst token and logit of the five likeliest first tokens
 */
record TinyExpectation(
        String prompt,
        @SerializedName("prompt_ids") int[] promptIds,
        int[] ids,
        String text,
        boolean ended,
        @SerializedName("top5_first") List<double[]> topFirst) {

    static List<TinyExpectation> all() {
        try (Reader json = new InputStreamReader(
                TinyExpectation.class.getResourceAsStream("/tiny-mixtral/expected.json"), StandardCharsets.UTF_8)) {
            return List.of(new Gson().fromJson(json, TinyExpectation[].class));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return prompt;
    }
}
