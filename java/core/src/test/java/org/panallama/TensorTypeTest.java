package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TensorTypeTest {
    @Test
    void everyTypeIsFoundByItsNumber() {
        for (TensorType type : TensorType.values()) {
            assertThat(TensorType.of(type.id())).isSameAs(type);
        }
    }

    @Test
    void numbersThatAreNoTypeSayWhatBecameOfThem() {
        assertThatThrownBy(() -> TensorType.of(4)).hasMessageContaining("Q4_2").hasMessageContaining("removed");
        assertThatThrownBy(() -> TensorType.of(31)).hasMessageContaining("repacked Q4_0");
        assertThatThrownBy(() -> TensorType.of(36)).hasMessageContaining("repacked IQ4_NL");
        assertThatThrownBy(() -> TensorType.of(43)).hasMessageContaining("unknown tensor type 43");
        assertThatThrownBy(() -> TensorType.of(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void sizesCountWholeBlocks() {
        assertThat(TensorType.Q4_K.bytes(4096)).isEqualTo(16 * 144);
        assertThat(TensorType.F32.bytes(3)).isEqualTo(12);
        assertThat(TensorType.Q4_K.bitsPerWeight()).isEqualTo(4.5);
        assertThatThrownBy(() -> TensorType.Q4_K.bytes(255)).hasMessageContaining("Q4_K blocks of 256");
        assertThatThrownBy(() -> TensorType.F64.bytes(Long.MAX_VALUE)).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void namesAreThoseThatLlamaCppPrints() {
        assertThat(TensorType.Q4_K.ggmlName()).isEqualTo("q4_K");
        assertThat(TensorType.IQ2_XXS.ggmlName()).isEqualTo("iq2_xxs");
        assertThat(TensorType.BF16.ggmlName()).isEqualTo("bf16");
    }
}
