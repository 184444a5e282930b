package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.panallama.TensorType;
import org.panallama.gguf.GgmlType;

/** The core API and the GGUF library, which do not know each other, have the same table of types. */
class GgmlTypeTest {

    @Test
    void theTablesAgree() {
        assertThat(GgmlType.values()).hasSameSizeAs(TensorType.values());
        for (TensorType type : TensorType.values()) {
            GgmlType other = GgmlType.of(type.id());
            assertThat(other.name()).isEqualTo(type.name());
            assertThat(other.blockSize()).isEqualTo(type.blockSize());
            assertThat(other.typeSize()).isEqualTo(type.typeSize());
        }
    }
}
