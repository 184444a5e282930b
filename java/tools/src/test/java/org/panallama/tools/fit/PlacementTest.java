package org.panallama.tools.fit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.panallama.Device;
import org.panallama.DeviceKind;
import org.panallama.TensorType;

class PlacementTest {

    private static final long GB = 1_000_000_000;
    private static final long MARGIN = 1L << 30;

    /** Four layers of 5 GB, 4 of them experts; embeddings and output of 1 GB each; a cache of 4 GB. */
    private static final Weights WEIGHTS = new Weights(
            "Q4_K", 40 * GB, GB, GB, List.of(5 * GB, 5 * GB, 5 * GB, 5 * GB), List.of(4 * GB, 4 * GB, 4 * GB, 4 * GB));

    private static final MemoryNeed NEED =
            new MemoryNeed(4096, TensorType.F16, TensorType.F16, 512, WEIGHTS.bytes(), 4 * GB, GB / 2);

    private static MachineMemory machine(long main, long gpu) {
        Device device = new Device("GPU0", "a GPU", DeviceKind.GPU, "CUDA", gpu + MARGIN, 2 * gpu + MARGIN);
        return new MachineMemory(main, main, gpu == 0 ? List.of() : List.of(device));
    }

    @Test
    void withoutAGpuAllIsInMainMemory() {
        Placement fits = Placement.best(WEIGHTS, NEED, machine(27 * GB, 0));
        assertThat(fits).isEqualTo(new Placement(0, false, NEED.total(), 0, true));
        assertThat(Placement.best(WEIGHTS, NEED, machine(26 * GB, 0)).fits()).isFalse();
    }

    @Test
    void aLargeGpuTakesAllButTheEmbeddings() {
        Placement placement = Placement.best(WEIGHTS, NEED, machine(2 * GB, 26 * GB));
        assertThat(placement).isEqualTo(new Placement(5, false, GB, 25 * GB + GB / 2, true));
    }

    @Test
    void theExpertsAreTheFirstToStayInMainMemory() {
        Placement placement = Placement.best(WEIGHTS, NEED, machine(20 * GB, 10 * GB));
        assertThat(placement).isEqualTo(new Placement(5, true, 17 * GB + GB / 2, 9 * GB + GB / 2, true));
    }

    @Test
    void aSmallGpuTakesTheLastLayers() {
        Placement placement = Placement.best(WEIGHTS, NEED, machine(20 * GB, 8 * GB));
        // The output, one layer with its cache, and what computes.
        assertThat(placement).isEqualTo(new Placement(2, false, 19 * GB + GB / 2, 7 * GB + GB / 2, true));
    }

    @Test
    void whatFitsNowhereSaysSo() {
        assertThat(Placement.best(WEIGHTS, NEED, machine(5 * GB, 8 * GB)).fits())
                .isFalse();
    }
}
