package org.panallama;

import java.util.ArrayList;
import java.util.List;
import org.panallama.spi.Binding;

/** The devices of this machine that a backend was loaded for, as they are now. */
final class AttachedDevices {

    private final List<Attached> all = new ArrayList<>();

    /** A device with llama.cpp's handle of it. */
    record Attached(long address, Device device) {

        boolean isCpu() {
            return device.kind() == DeviceKind.CPU;
        }
    }

    AttachedDevices(Binding binding) {
        long[] memory = new long[2];
        for (int i = 0; i < binding.deviceCount(); i++) {
            long address = binding.device(i);
            binding.deviceMemory(address, memory);
            all.add(new Attached(
                    address,
                    new Device(
                            binding.deviceName(address),
                            binding.deviceDescription(address),
                            DeviceKind.of(binding.deviceType(address)),
                            binding.deviceBackend(address),
                            memory[0],
                            memory[1])));
        }
    }

    List<Device> devices() {
        return all.stream().map(Attached::device).toList();
    }

    /** See {@link Llama#gpus()}. */
    List<Attached> gpus() {
        for (DeviceKind kind : List.of(DeviceKind.GPU, DeviceKind.INTEGRATED_GPU)) {
            List<Attached> found = all.stream()
                    .filter(candidate -> candidate.device.kind() == kind)
                    .toList();
            if (!found.isEmpty()) {
                String backend = found.get(0).device.backend();
                return found.stream()
                        .filter(candidate -> candidate.device.backend().equals(backend))
                        .toList();
            }
        }
        return List.of();
    }

    /**
     * @throws IllegalArgumentException if there is none of that name
     */
    Attached named(String name) {
        return all.stream()
                .filter(candidate -> candidate.device.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no device is called '" + name
                        + "'; this machine has "
                        + devices().stream().map(Device::name).toList()));
    }
}
