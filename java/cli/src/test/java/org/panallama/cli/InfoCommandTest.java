package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

class InfoCommandTest {

    @Test
    void tellsWhatTheModelIs() {
        Result result = Result.of("info");
        assertThat(result.status()).isZero();
        assertThat(result.out())
                .contains(
                        "8 experts, of which 2 compute a token",
                        "13.3 M, of which 6.2 M compute a token",
                        "F16, 16.02 bits per weight",
                        "2048 tokens as trained",
                        "llama.rope.freq_base = 1000000.0",
                        "(5120 elements)",
                        "It fits: this machine has");
    }

    @Test
    void jsonHasTheNumbers() {
        JsonObject json = Result.of("info", "--json", "--tensors").json();
        assertThat(json.get("parameters").getAsLong()).isEqualTo(13_253_888);
        assertThat(json.get("active_parameters").getAsLong()).isEqualTo(6_176_000);
        assertThat(json.getAsJsonArray("tensors")).hasSize(63);
        assertThat(json.getAsJsonArray("tensors_by_type").get(0).toString())
                .isEqualTo("{\"type\":\"F16\",\"count\":44,\"bytes\":26476544}");
        assertThat(json.getAsJsonArray("devices")).isNotEmpty();
        JsonObject metadata = json.getAsJsonObject("metadata");
        assertThat(metadata.get("llama.expert_count").getAsInt()).isEqualTo(8);
        assertThat(metadata.get("tokenizer.ggml.tokens").toString())
                .isEqualTo("{\"array_of\":\"STRING\",\"length\":5120}");
    }

    /** 6 layers, 2 heads of 64 for keys and for values. */
    @Test
    void theCacheGrowsWithTheContextAndShrinksWithTheType() {
        JsonObject f16 = Result.of("info", "--json").json().getAsJsonObject("memory");
        assertThat(f16.get("context").getAsInt()).isEqualTo(2048);
        assertThat(f16.get("kv_cache").getAsLong()).isEqualTo(2048L * 6 * 2 * 128 * 2);
        JsonObject small = Result.of("info", "--json", "-c", "512", "--kv-type", "q8_0")
                .json()
                .getAsJsonObject("memory");
        assertThat(small.get("kv_cache").getAsLong()).isEqualTo(512L * 6 * 2 * 128 * 34 / 32);
        assertThat(small.get("fits").getAsBoolean()).isTrue();
    }

    @Test
    void aContextLongerThanTrainedIsWarnedOf() {
        Result result = Result.of("info", "-c", "100000");
        assertThat(result.status()).isZero();
        assertThat(result.err()).contains("trained for a context of 2048 tokens");
    }

    @Test
    void whatDoesNotFitIsToldTheWayOut() {
        Result result = Result.of("info", "-c", "2000000000");
        assertThat(result.out()).contains("It does not fit", "a context of up to 2048 tokens (-c)");
    }

    @Test
    void devicesAreListed() {
        Result text = Result.of("info", "--devices");
        assertThat(text.out()).contains("CPU");
        assertThat(text.err()).contains("no GPU: llama.cpp from", "has no backend for one", "linux-x86_64-vulkan");
        assertThat(JsonParser.parseString(
                                Result.of("info", "--devices", "--json").out())
                        .getAsJsonArray())
                .isNotEmpty();
    }

    @Test
    void fitTellsWhatEveryFileTypeTakes() {
        Result text = Result.of("info", "--fit");
        assertThat(text.status()).as(text.err()).isZero();
        assertThat(text.out()).contains("KV cache for a context of", "this file", "IQ2_XXS", "Best: this file");
        JsonObject json = Result.of("info", "--fit", "--json", "-c", "1024").json();
        assertThat(json.get("best").getAsString()).isEqualTo("this file");
        assertThat(json.getAsJsonArray("types")).hasSizeGreaterThan(10).allSatisfy(type -> {
            assertThat(type.getAsJsonObject().get("fits").getAsBoolean()).isTrue();
            assertThat(type.getAsJsonObject().get("longest_context").getAsInt()).isEqualTo(2048);
        });
        assertThat(json.get("main_memory_available").getAsLong()).isPositive();
    }

    @Test
    void whatFitsNowhereIsTold() {
        assertThat(Result.of("info", "--fit", "-c", "2000000000").out()).contains("does not fit", "Nothing fits.");
    }
}
