package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.panallama.spi.BindingUnderTest.BINDING;
import static org.panallama.spi.BindingUnderTest.PROMPT;
import static org.panallama.spi.BindingUnderTest.decode;
import static org.panallama.spi.BindingUnderTest.loadModel;
import static org.panallama.spi.BindingUnderTest.newContext;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What every binding must do, against the real library: the nodes of the graph as they are computed. */
@Tag("native")
class EvaluationContractTest {

    private static final int WIDTH = 256;

    private static long model;

    @BeforeAll
    static void load() {
        model = loadModel();
    }

    @AfterAll
    static void unload() {
        BINDING.modelFree(model);
    }

    @Test
    void showsEveryNodeAndHandsOverTheWantedOnes() {
        List<String> asked = new ArrayList<>();
        List<String> computed = new ArrayList<>();
        float[] row = new float[WIDTH];
        decodeWith((tensor, ask) -> {
            String operation = BINDING.operationName(BINDING.tensorOperation(tensor));
            if (ask) {
                asked.add(operation);
                return operation.equals("MUL_MAT")
                        && BINDING.tensorName(BINDING.tensorSource(tensor, 0)).equals("blk.1.attn_q.weight");
            }
            computed.add(operation);
            long weight = BINDING.tensorSource(tensor, 0);
            long input = BINDING.tensorSource(tensor, 1);
            assertThat(BINDING.tensorType(weight)).isEqualTo(1);
            assertThat(BINDING.tensorType(input)).isZero();
            assertThat(BINDING.tensorDimension(input, 0)).isEqualTo(WIDTH);
            assertThat(BINDING.tensorDimension(input, 1)).isEqualTo(PROMPT.length);
            assertThat(BINDING.tensorStride(input, 0)).isEqualTo(Float.BYTES);
            assertThat(BINDING.tensorStride(input, 1)).isEqualTo(WIDTH * Float.BYTES);
            assertThat(BINDING.tensorBytes(input)).isEqualTo((long) PROMPT.length * WIDTH * Float.BYTES);
            assertThat(BINDING.tensorSource(tensor, 9)).isZero();
            ByteBuffer bytes =
                    ByteBuffer.allocateDirect(row.length * Float.BYTES).order(ByteOrder.nativeOrder());
            BINDING.tensorRead(input, bytes, 2L * row.length * Float.BYTES);
            bytes.asFloatBuffer().get(row);
            return true;
        });
        assertThat(asked).contains("MUL_MAT", "MUL_MAT_ID", "RMS_NORM");
        assertThat(computed).containsExactly("MUL_MAT");
        double squares = 0;
        for (float value : row) {
            assertThat(value).isFinite();
            squares += value * value;
        }
        assertThat(squares).isPositive();
    }

    @Test
    void nothingThrownPassesThroughLlama() {
        assertThat(decodeWith((tensor, ask) -> {
                    throw new IllegalStateException("on purpose");
                }))
                .isZero();
    }

    private static int decodeWith(EvaluationSink sink) {
        long abortFlag = BINDING.allocate(2);
        long context = newContext(model, abortFlag, false, sink);
        try {
            return decode(context, PROMPT, 0, 0);
        } finally {
            BINDING.contextFree(context);
            BINDING.free(abortFlag);
        }
    }
}
