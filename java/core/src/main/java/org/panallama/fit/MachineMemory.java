package org.panallama.fit;

import java.util.List;
import java.util.stream.Stream;
import org.panallama.Device;
import org.panallama.DeviceKind;
import org.panallama.Llama;
import org.panallama.internal.PhysicalMemory;

/**
 * The memory that a model can be put into, in bytes.
 *
 * @param total main memory, or the container's limit where that is less
 * @param available what of it programs can get now without swapping; the page cache counts as available
 * @param gpus those to use; none where llama.cpp is not available
 * @param gpuMargin what stays free on each GPU, for what else lives there
 */
public record MachineMemory(long total, long available, List<Device> gpus, long gpuMargin) {

    /** 1 GiB, which llama.cpp's own programs leave free, too. */
    public static final long DEFAULT_GPU_MARGIN = 1L << 30;

    /** Copies the list. */
    public MachineMemory {
        gpus = List.copyOf(gpus);
    }

    /** With the {@linkplain #DEFAULT_GPU_MARGIN usual margin}. */
    public MachineMemory(long total, long available, List<Device> gpus) {
        this(total, available, gpus, DEFAULT_GPU_MARGIN);
    }

    /** That of this machine as it is now, with {@linkplain Llama#gpus() its GPUs}. */
    public static MachineMemory present() {
        return present(Llama.isAvailable() ? Llama.gpus() : List.of(), DEFAULT_GPU_MARGIN);
    }

    /**
     * That of this machine as it is now.
     *
     * @param gpus those to use
     */
    public static MachineMemory present(List<Device> gpus, long gpuMargin) {
        long total = PhysicalMemory.totalBytes();
        return new MachineMemory(
                total, LinuxMemory.ofThisProcess().availableBytes().orElse(total), gpus, gpuMargin);
    }

    /** All memory of the GPUs; one that shares main memory adds none. */
    public long gpuTotal() {
        return withOwnMemory().mapToLong(Device::totalMemory).sum();
    }

    /** Free memory of the GPUs, less the margin on each; one that shares main memory adds none. */
    public long gpuAvailable() {
        return withOwnMemory()
                .filter(gpu -> gpu.totalMemory() > 0)
                .mapToLong(this::availableOn)
                .sum();
    }

    /** Free memory of a GPU, less the margin; unlimited where its driver does not say. */
    public long availableOn(Device gpu) {
        return gpu.totalMemory() == 0 ? Long.MAX_VALUE : Math.max(0, gpu.freeMemory() - gpuMargin);
    }

    private Stream<Device> withOwnMemory() {
        return gpus.stream().filter(gpu -> gpu.kind() == DeviceKind.GPU);
    }
}
