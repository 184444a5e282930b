package org.panallama.tools.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ModulePatternTest {

    private static ModulePattern pattern(String expression) {
        return new ModulePattern("adapter_config.json: rank_pattern", expression);
    }

    @Test
    void aKeyMatchesTheWholeNameOrWhatFollowsADot() {
        assertThat(pattern("q_proj").matches("q_proj")).isTrue();
        assertThat(pattern("q_proj").matches("layers.0.q_proj")).isTrue();
        assertThat(pattern("layers\\.\\d+\\..*_proj").matches("model.layers.12.self_attn.q_proj"))
                .isTrue();
        assertThat(pattern("q_proj").matches("layers.0.my_q_proj")).isFalse();
        assertThat(pattern("q_proj").matches("q_proj.inner")).isFalse();
    }

    @Test
    void anExpressionThatTakesForeverIsRefused() {
        ModulePattern slow = pattern("a*a*a*a*a*a*a*b");
        assertThat(slow.matches("aaab")).isTrue();
        assertThatThrownBy(() -> slow.matches("a".repeat(200)))
                .isInstanceOf(LoraException.class)
                .hasMessageStartingWith(
                        "adapter_config.json: rank_pattern has 'a*a*a*a*a*a*a*b', which takes too long for");
        assertThatThrownBy(() -> pattern("(".repeat(100_000) + ")".repeat(100_000)))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining("no regular expression: Stack overflow");
        assertThatThrownBy(() -> pattern("(a|b)*").matches("ab".repeat(100_000)))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining("takes too long");
    }
}
