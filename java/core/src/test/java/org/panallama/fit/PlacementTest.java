package org.panallama.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.panallama.Device;
import org.panallama.DeviceKind;
import org.panallama.TensorType;

class PlacementTest {

    private static final long GB = 1_000_000_000;
    private static final long MARGIN = 1L << 30;

    /** Four layers of 5 GB, 4 of them experts; embeddings and output of 1 GB each; a cache of 4 GB. */
    private static final Weights WEIGHTS = weights(4 * GB);

    private static final MemoryNeed NEED =
            new MemoryNeed(4096, TensorType.F16, TensorType.F16, 512, WEIGHTS.bytes(), 4 * GB, GB / 2);

    private static Weights weights(long experts) {
        return new Weights(
                "Q4_K", 40 * GB, GB, 0, GB, Collections.nCopies(4, 5 * GB), Collections.nCopies(4, experts), GB);
    }

    private static Device gpu(String name, DeviceKind kind, long available) {
        return new Device(name, "a GPU", kind, "CUDA", available + MARGIN, 2 * available + MARGIN);
    }

    private static MachineMemory machine(long main, long... gpus) {
        List<Device> devices = new ArrayList<>();
        for (long available : gpus) {
            devices.add(gpu("GPU" + devices.size(), DeviceKind.GPU, available));
        }
        return new MachineMemory(main, main, devices);
    }

    @Test
    void withoutAGpuAllIsInMainMemory() {
        Placement fits = Placement.best(WEIGHTS, NEED, machine(27 * GB));
        assertThat(fits).isEqualTo(new Placement(0, 0, NEED.total(), List.of(), true));
        assertThat(Placement.best(WEIGHTS, NEED, machine(26 * GB)).fits()).isFalse();
    }

    @Test
    void aLargeGpuTakesAllButTheEmbeddings() {
        MachineMemory machine = machine(2 * GB, 26 * GB);
        Placement placement = Placement.best(WEIGHTS, NEED, machine);
        Placement.Share share = new Placement.Share(machine.gpus().get(0), 5, 25 * GB + GB / 2);
        assertThat(placement).isEqualTo(new Placement(5, 0, GB, List.of(share), true));
        assertThat(placement.gpuMemory()).isEqualTo(25 * GB + GB / 2);
    }

    @Test
    void theExpertsOfAsFewLayersAsNecessaryAreTheFirstToStayInMainMemory() {
        Placement two = Placement.best(WEIGHTS, NEED, machine(20 * GB, 19 * GB));
        // Beside what computes, a matrix of 1 GB visits the GPU.
        assertThat(two.gpuMemory()).isEqualTo(18 * GB + GB / 2);
        assertThat(two.mainMemory()).isEqualTo(9 * GB + GB / 2);
        assertThat(two.gpuLayers()).isEqualTo(5);
        assertThat(two.cpuExpertLayers()).isEqualTo(2);
        Placement all = Placement.best(WEIGHTS, NEED, machine(20 * GB, 11 * GB));
        assertThat(all.cpuExpertLayers()).isEqualTo(4);
        assertThat(all.gpuMemory()).isEqualTo(10 * GB + GB / 2);
    }

    @Test
    void aSmallGpuTakesTheLastLayersWithoutTheirExperts() {
        Placement placement = Placement.best(WEIGHTS, NEED, machine(26 * GB, 7 * GB));
        // The output, two layers with their cache, what computes, and a matrix that visits.
        assertThat(placement.gpuLayers()).isEqualTo(3);
        assertThat(placement.gpuMemory()).isEqualTo(6 * GB + GB / 2);
        assertThat(placement.cpuExpertLayers()).isEqualTo(4);
    }

    @Test
    void layersOfADenseModelGoAsAWhole() {
        Placement placement = Placement.best(weights(0), NEED, machine(26 * GB, 15 * GB));
        assertThat(placement.gpuLayers()).isEqualTo(3);
        assertThat(placement.cpuExpertLayers()).isZero();
        assertThat(placement.gpuMemory()).isEqualTo(14 * GB + GB / 2);
    }

    @Test
    void layersAreSpreadByAvailableMemoryOrAsToldToBe() {
        MachineMemory machine = machine(20 * GB, 30 * GB, 10 * GB);
        PlacementSearch search = new PlacementSearch(WEIGHTS, NEED, machine);
        assertThat(layersOf(search.best())).containsExactly(4, 1);
        assertThat(search.best().shares().get(1).bytes()).isEqualTo(2 * GB); // twice what computes, for two GPUs
        assertThat(layersOf(search.split(1, 1).place(5, 0))).containsExactly(3, 2);
        assertThat(search.best().cpuExpertLayers()).isZero();
        assertThat(layersOf(search.split(0, 1).place(9, 0))).containsExactly(5);
        assertThat(search.place(9, 0).fits()).isFalse();
        assertThatThrownBy(() -> search.split(1)).hasMessageContaining("1 shares for 2 GPUs");
    }

    private static List<Integer> layersOf(Placement placement) {
        return placement.shares().stream().map(Placement.Share::layers).toList();
    }

    @Test
    void matricesAreSpreadOverAllGpus() {
        MachineMemory machine = machine(20 * GB, 15 * GB, 15 * GB);
        Placement placement =
                new PlacementSearch(WEIGHTS, NEED, machine).splitMatrices().best();
        assertThat(layersOf(placement)).containsExactly(5, 5);
        assertThat(placement.gpuMemory()).isEqualTo(27 * GB);
    }

    @Test
    void theCacheCanStayInMainMemory() {
        Placement placement = new PlacementSearch(WEIGHTS, NEED, machine(20 * GB, 22 * GB))
                .cacheInMainMemory()
                .best();
        assertThat(placement).returns(5, Placement::gpuLayers).returns(0, Placement::cpuExpertLayers);
        assertThat(placement.mainMemory()).isEqualTo(5 * GB);
    }

    @Test
    void aGpuThatSharesMainMemoryTakesFromIt() {
        Device integrated = gpu("GPU0", DeviceKind.INTEGRATED_GPU, 30 * GB);
        assertThat(Placement.best(WEIGHTS, NEED, new MachineMemory(27 * GB, 27 * GB, List.of(integrated))))
                .returns(5, Placement::gpuLayers)
                .returns(true, Placement::fits);
        MachineMemory little = new MachineMemory(26 * GB, 26 * GB, List.of(integrated));
        assertThat(Placement.best(WEIGHTS, NEED, little).fits()).isFalse();
        assertThat(little.gpuTotal()).isZero();
        assertThat(little.gpuAvailable()).isZero();
    }

    @Test
    void aGpuThatDoesNotTellItsMemoryIsTrusted() {
        Device silent = new Device("GPU0", "a GPU", DeviceKind.GPU, "X", 0, 0);
        MachineMemory machine = new MachineMemory(2 * GB, 2 * GB, List.of(silent));
        assertThat(Placement.best(WEIGHTS, NEED, machine)).returns(5, Placement::gpuLayers);
        assertThat(machine.gpuAvailable()).isZero();
    }

    @Test
    void whatFitsNowhereSaysSo() {
        assertThat(Placement.best(WEIGHTS, NEED, machine(5 * GB, 8 * GB)).fits())
                .isFalse();
    }

    @Test
    void pinnedTensorsAreCountedByThemselves() {
        Weights weights = Weights.of(
                "F16",
                2,
                List.of(
                        new Weights.Tensor("token_embd.weight", 1, 2),
                        new Weights.Tensor("blk.0.ffn_up_exps.weight", 10, 20),
                        new Weights.Tensor("blk.1.ffn_up_exps.weight", 10, 20),
                        new Weights.Tensor("blk.1.attn_q.weight", 2, 4),
                        new Weights.Tensor("output.weight", 1, 2)),
                List.of(Pattern.compile("blk\\.1\\..*exps")));
        assertThat(weights.input()).isEqualTo(2);
        assertThat(weights.pinned()).isEqualTo(20);
        assertThat(weights.output()).isEqualTo(2);
        assertThat(weights.layers()).containsExactly(20L, 4L);
        assertThat(weights.experts()).containsExactly(20L, 0L);
        assertThat(weights.largest()).isEqualTo(20);
        assertThat(weights.bytes()).isEqualTo(48);
    }
}
