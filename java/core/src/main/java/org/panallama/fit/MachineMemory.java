package org.panallama.fit;

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
 * @param gpuMargin what stays free on each GPU, for what else lives there
 */
public record MachineMemory(long total, long available, List<Device> devices, long gpuMargin) {

    /** 1 GiB, which llama.cpp's own programs leave free, too. */
    public static final long DEFAULT_GPU_MARGIN = 1L << 30;

    /** Copies the list. */
    public MachineMemory {
        devices = List.copyOf(devices);
    }

    /** With the {@linkplain #DEFAULT_GPU_MARGIN usual margin}. */
    public MachineMemory(long total, long available, List<Device> devices) {
        this(total, available, devices, DEFAULT_GPU_MARGIN);
    }

    /** That of this machine as it is now, with all its devices. */
    public static MachineMemory present() {
        return present(Llama.isAvailable() ? Llama.devices() : List.of(), DEFAULT_GPU_MARGIN);
    }

    /**
     * That of this machine as it is now.
     *
     * @param devices those to use
     */
    public static MachineMemory present(List<Device> devices, long gpuMargin) {
        long total = PhysicalMemory.totalBytes();
        return new MachineMemory(
                total, LinuxMemory.ofThisProcess().availableBytes().orElse(total), devices, gpuMargin);
    }

    /** What llama.cpp offloads to: the GPUs with memory of their own, or where there are none, those that share main memory. */
    public List<Device> gpus() {
        List<Device> own = devices(DeviceKind.GPU);
        return own.isEmpty() ? devices(DeviceKind.INTEGRATED_GPU) : own;
    }

    /** All memory of the GPUs; one that shares main memory adds none. */
    public long gpuTotal() {
        return devices(DeviceKind.GPU).stream().mapToLong(Device::totalMemory).sum();
    }

    /** Free memory of the GPUs, less the margin on each; one that shares main memory adds none. */
    public long gpuAvailable() {
        return devices(DeviceKind.GPU).stream()
                .filter(device -> device.totalMemory() > 0)
                .mapToLong(this::availableOn)
                .sum();
    }

    /** Free memory of a GPU, less the margin; unlimited where its driver does not say. */
    public long availableOn(Device gpu) {
        return gpu.totalMemory() == 0 ? Long.MAX_VALUE : Math.max(0, gpu.freeMemory() - gpuMargin);
    }

    private List<Device> devices(DeviceKind kind) {
        return devices.stream().filter(device -> device.kind() == kind).toList();
    }
}
