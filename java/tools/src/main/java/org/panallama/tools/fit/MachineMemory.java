package org.panallama.tools.fit;

import java.util.List;
import org.panallama.Device;
import org.panallama.DeviceKind;
import org.panallama.Llama;
import org.panallama.internal.PhysicalMemory;

/**
 * The memory that a model can be put into, in bytes.
 *
 * @param total main memory, or the container's limit where that is less
 * @param available what of it programs can get now without swapping; the page cache counts as available
 * @param devices what llama.cpp found; none where it is not available
 */
public record MachineMemory(long total, long available, List<Device> devices) {

    /** What llama.cpp itself leaves free on a GPU when it fits a model. */
    private static final long GPU_MARGIN = 1L << 30;

    /** Copies the list. */
    public MachineMemory {
        devices = List.copyOf(devices);
    }

    /** That of this machine as it is now. */
    public static MachineMemory present() {
        long total = PhysicalMemory.totalBytes();
        return new MachineMemory(
                total,
                LinuxMemory.ofThisProcess().availableBytes().orElse(total),
                Llama.isAvailable() ? Llama.devices() : List.of());
    }

    /** The GPUs with memory of their own; one that shares main memory adds none. */
    public List<Device> gpus() {
        return devices.stream()
                .filter(device -> device.kind() == DeviceKind.GPU)
                .toList();
    }

    /** All memory of the GPUs. */
    public long gpuTotal() {
        return gpus().stream().mapToLong(Device::totalMemory).sum();
    }

    /** Free memory of the GPUs, less 1 GiB on each for what else lives there. */
    public long gpuAvailable() {
        return gpus().stream()
                .mapToLong(device -> Math.max(0, device.freeMemory() - GPU_MARGIN))
                .sum();
    }
}
