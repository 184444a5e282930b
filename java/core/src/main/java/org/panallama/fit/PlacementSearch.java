package org.panallama.fit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.Device;
import org.panallama.DeviceKind;

/**
 * Finds where a model's parts go on a machine. In order of preference, which is that of speed: everything on the GPUs; without
 * the experts of as few layers as possible, which compute well on the CPU since each token uses a small part of them; without
 * whole layers besides; nothing.
 *
 * <p>Not thread-safe.
 */
public final class PlacementSearch {

    private final Weights weights;
    private final MemoryNeed need;
    private final MachineMemory machine;
    private final List<Device> gpus;
    private final int layers;
    private float @Nullable [] split;
    private boolean splitMatrices;
    private int leastExperts;
    private boolean cacheOnGpu = true;

    /**
     * Places on a machine and its GPUs.
     *
     * @param weights the model's tensors
     * @param need of the model and one context
     */
    public PlacementSearch(Weights weights, MemoryNeed need, MachineMemory machine) {
        this.weights = weights;
        this.need = need;
        this.machine = machine;
        this.gpus = machine.gpus();
        this.layers = weights.layers().size();
    }

    /**
     * How the layers are spread over the GPUs; by their available memory by default.
     *
     * @param shares a proportion for each
     * @throws IllegalArgumentException if there is not one for each
     */
    public PlacementSearch split(float... shares) {
        if (shares.length != gpus.size()) {
            throw new IllegalArgumentException(shares.length + " shares for " + gpus.size() + " GPUs");
        }
        split = shares.clone();
        return this;
    }

    /** Each GPU has its share of every matrix, instead of whole layers. */
    public PlacementSearch splitMatrices() {
        splitMatrices = true;
        return this;
    }

    /** The experts of that many layers, counted from the first, stay in main memory at least. */
    public PlacementSearch expertsOnCpu(int layers) {
        leastExperts = Math.min(layers, this.layers);
        return this;
    }

    /** The KV cache stays in main memory. */
    public PlacementSearch cacheInMainMemory() {
        cacheOnGpu = false;
        return this;
    }

    /** The proportions in use, one for each GPU. */
    public float[] shares() {
        if (split != null) {
            return split.clone();
        }
        float[] shares = new float[gpus.size()];
        for (int i = 0; i < shares.length; i++) {
            shares[i] = machine.availableOn(gpus.get(i));
        }
        boolean unknown = gpus.stream().anyMatch(gpu -> gpu.totalMemory() == 0);
        boolean none = gpus.stream().allMatch(gpu -> machine.availableOn(gpu) == 0);
        if (unknown || none) {
            Arrays.fill(shares, 1);
        }
        return shares;
    }

    /** The most preferred placement that fits. If none does, the most preferred that fits the GPUs. */
    public Placement best() {
        Placement first = null;
        for (Placement candidate : candidates()) {
            if (candidate.fits()) {
                return candidate;
            }
            if (first == null && fitsGpus(candidate)) {
                first = candidate;
            }
        }
        return first == null ? place(0, 0) : first;
    }

    private List<Placement> candidates() {
        List<Placement> candidates = new ArrayList<>();
        int expertLayers = weights.expertBytes() > 0 ? layers : leastExperts;
        if (!gpus.isEmpty()) {
            for (int experts = leastExperts; experts <= expertLayers; experts++) {
                candidates.add(place(layers + 1, experts));
            }
            for (int count = layers; count > 0; count--) {
                candidates.add(place(count, expertLayers));
            }
        }
        candidates.add(place(0, 0));
        return candidates;
    }

    /**
     * The memory that a placement takes.
     *
     * @param gpuLayers layers on GPUs, counted from the last, the output being one more; more than there are means all
     * @param cpuExpertLayers layers, counted from the first, whose experts stay in main memory all the same
     */
    public Placement place(int gpuLayers, int cpuExpertLayers) {
        int onGpu = gpus.isEmpty() ? 0 : Math.min(gpuLayers, layers + 1);
        int first = layers + 1 - onGpu;
        long cache = layers == 0 ? 0 : need.kvCache() / layers;
        long main = weights.input() + weights.pinned();
        long[] bytes = new long[gpus.size()];
        int[] counts = new int[gpus.size()];
        float[] proportions = shares();
        for (int layer = 0; layer <= layers; layer++) {
            boolean output = layer == layers;
            long size = output ? weights.output() : weights.layers().get(layer);
            long cached = output ? 0 : cache;
            if (layer < first) {
                main += size + cached;
                continue;
            }
            long left =
                    output || layer >= cpuExpertLayers ? 0 : weights.experts().get(layer);
            int gpu = gpuOf(layer - first, onGpu, proportions);
            counts[gpu]++;
            bytes[gpu] += size - left + (cacheOnGpu ? cached : 0);
            main += left + (cacheOnGpu ? 0 : cached);
        }
        boolean experts = cpuExpertLayers > 0 && weights.expertBytes() > 0;
        boolean cpuComputes = first > 0 || weights.pinned() > 0 || experts;
        long inMain = main + (cpuComputes ? need.compute() : 0);
        if (splitMatrices) {
            spread(counts, bytes, onGpu, proportions);
        }
        return placement(onGpu, cpuExpertLayers, inMain, counts, bytes, cpuComputes);
    }

    /** As llama.cpp counts: a GPU's share of the proportions is its share of the layers, in their order. */
    private static int gpuOf(int index, int onGpu, float[] shares) {
        float sum = 0;
        for (float share : shares) {
            sum += share;
        }
        float reached = 0;
        for (int gpu = 0; gpu < shares.length; gpu++) {
            reached += shares[gpu];
            if ((float) index / onGpu < reached / sum) {
                return gpu;
            }
        }
        return shares.length - 1;
    }

    private Placement placement(
            int onGpu, int cpuExpertLayers, long main, int[] counts, long[] bytes, boolean cpuComputes) {
        List<Placement.Share> shares = new ArrayList<>();
        boolean fits = true;
        long shared = 0;
        // Several GPUs compute one batch after another, like an assembly line, and llama.cpp keeps inputs for four of
        // them.
        long compute = need.compute()
                * (Arrays.stream(counts).filter(count -> count > 0).count() > 1 ? 2 : 1);
        for (int gpu = 0; gpu < bytes.length; gpu++) {
            if (counts[gpu] == 0) {
                continue;
            }
            // A large batch is multiplied on the first GPU even where the matrix is in main memory: one at a time comes
            // over.
            long visitor = cpuComputes && shares.isEmpty() ? weights.largest() : 0;
            Device device = gpus.get(gpu);
            long all = bytes[gpu] + compute + visitor;
            fits &= all <= machine.availableOn(device);
            shared += device.kind() == DeviceKind.INTEGRATED_GPU ? all : 0;
            shares.add(new Placement.Share(device, counts[gpu], all));
        }
        return new Placement(onGpu, cpuExpertLayers, main, shares, fits && main + shared <= machine.available());
    }

    private static void spread(int[] counts, long[] bytes, int onGpu, float[] shares) {
        double sum = 0;
        for (float share : shares) {
            sum += share;
        }
        long all = Arrays.stream(bytes).sum();
        for (int gpu = 0; gpu < bytes.length; gpu++) {
            bytes[gpu] = (long) (all * (shares[gpu] / sum));
            counts[gpu] = onGpu;
        }
    }

    private boolean fitsGpus(Placement placement) {
        return placement.shares().stream().allMatch(share -> share.bytes() <= machine.availableOn(share.device()));
    }
}
