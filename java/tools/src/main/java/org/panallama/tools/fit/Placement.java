package org.panallama.tools.fit;

/**
 * Where a model's parts go. Sizes are in bytes.
 *
 * @param gpuLayers for {@link org.panallama.ModelOptions.Builder#gpuLayers}: layers on the GPU, counted from the last, the output
 *     being one more
 * @param expertsOnCpu whether the experts of those layers stay in main memory all the same
 * @param mainMemory need of main memory
 * @param gpuMemory need of the GPUs' memory, together
 * @param fits whether both are there
 */
public record Placement(int gpuLayers, boolean expertsOnCpu, long mainMemory, long gpuMemory, boolean fits) {

    /**
     * The fastest placement that fits: everything on the GPU, all but the experts, as many layers as fit, nothing. If none
     * fits, that which lacks least.
     */
    public static Placement best(Weights weights, MemoryNeed need, MachineMemory machine) {
        int layers = weights.layers().size();
        Placement none = place(weights, need, machine, 0, false);
        if (machine.gpus().isEmpty()) {
            return none;
        }
        Placement all = place(weights, need, machine, layers + 1, false);
        if (all.fits) {
            return all;
        }
        Placement withoutExperts = place(weights, need, machine, layers + 1, true);
        if (weights.expertBytes() > 0 && withoutExperts.fits) {
            return withoutExperts;
        }
        for (int count = layers; count > 0; count--) {
            Placement some = place(weights, need, machine, count, false);
            if (some.fits) {
                return some;
            }
        }
        return none;
    }

    private static Placement place(
            Weights weights, MemoryNeed need, MachineMemory machine, int gpuLayers, boolean expertsOnCpu) {
        int layers = weights.layers().size();
        int first = Math.max(0, layers + 1 - gpuLayers);
        long main = weights.input() + (gpuLayers == 0 ? weights.output() : 0);
        long gpu = gpuLayers == 0 ? 0 : weights.output();
        for (int i = 0; i < layers; i++) {
            long bytes = weights.layers().get(i);
            long cache = need.kvCache() / layers;
            if (i < first) {
                main += bytes + cache;
            } else {
                long experts = expertsOnCpu ? weights.experts().get(i) : 0;
                main += experts;
                gpu += bytes - experts + cache;
            }
        }
        boolean cpuComputes = first > 0 || expertsOnCpu || layers == 0;
        main += cpuComputes ? need.compute() : 0;
        gpu += gpuLayers == 0 ? 0 : need.compute();
        return new Placement(
                gpuLayers, expertsOnCpu, main, gpu, main <= machine.available() && gpu <= machine.gpuAvailable());
    }
}
