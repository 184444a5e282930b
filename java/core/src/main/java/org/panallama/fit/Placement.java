package org.panallama.fit;

import java.util.List;
import org.panallama.Device;

/**
 * Where a model's parts go, and the memory that they and one context take there, in bytes: estimates, as {@link
 * ModelMemory#need} explains.
 *
 * @param gpuLayers for {@link org.panallama.ModelOptions.Builder#gpuLayers}: layers on the GPU, counted from the last, the output
 *     being one more
 * @param cpuExpertLayers for {@link org.panallama.ModelOptions.Builder#expertsOnCpu(int)}: layers, counted from the first, whose
 *     experts stay in main memory all the same
 * @param mainMemory need of main memory
 * @param shares what goes to each GPU in use; empty where the CPU computes everything
 * @param fits whether main memory and every GPU have that much available
 */
public record Placement(int gpuLayers, int cpuExpertLayers, long mainMemory, List<Share> shares, boolean fits) {

    /** Copies the list. */
    public Placement {
        shares = List.copyOf(shares);
    }

    /**
     * What goes to a GPU.
     *
     * @param device the GPU, with its memory as it was before
     * @param layers on it, of {@link Placement#gpuLayers}
     * @param bytes need of its memory
     */
    public record Share(Device device, int layers, long bytes) {}

    /** The placement that suits a machine best; {@link PlacementSearch} has the rules, and more to say about it. */
    public static Placement best(Weights weights, MemoryNeed need, MachineMemory machine) {
        return new PlacementSearch(weights, need, machine).best();
    }

    /** Whether experts of layers on the GPU stay in main memory. */
    public boolean expertsOnCpu() {
        return cpuExpertLayers > 0;
    }

    /** Need of the GPUs' memory, together. */
    public long gpuMemory() {
        return shares.stream().mapToLong(Share::bytes).sum();
    }
}
