package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.panallama.Device;
import org.panallama.DeviceKind;
import org.panallama.Llama;
import org.panallama.internal.PhysicalMemory;

/**
 * What a model can be run on.
 *
 * @param mainMemory bytes
 * @param devices that llama.cpp found; none where it is not available
 */
record Machine(long mainMemory, List<Device> devices) {

    static Machine present() {
        return new Machine(PhysicalMemory.totalBytes(), Llama.isAvailable() ? Llama.devices() : List.of());
    }

    /** Bytes of the GPUs that have a memory of their own. */
    long gpuMemory() {
        return devices.stream()
                .filter(device -> device.kind() == DeviceKind.GPU)
                .mapToLong(Device::totalMemory)
                .sum();
    }

    long memory() {
        return mainMemory + gpuMemory();
    }

    void print(Output out) {
        for (Device device : devices) {
            out.line(String.format(
                    "%-10s %-14s %s, %s, %s of %s free",
                    device.name(),
                    kind(device),
                    device.description(),
                    device.backend(),
                    Printable.bytes(device.freeMemory()),
                    Printable.bytes(device.totalMemory())));
        }
    }

    void write(JsonWriter json) throws IOException {
        json.beginArray();
        for (Device device : devices) {
            json.beginObject();
            json.name("name").value(device.name());
            json.name("description").value(device.description());
            json.name("kind").value(kind(device));
            json.name("backend").value(device.backend());
            json.name("free_bytes").value(device.freeMemory());
            json.name("total_bytes").value(device.totalMemory());
            json.endObject();
        }
        json.endArray();
    }

    private static String kind(Device device) {
        return device.kind().name().toLowerCase(Locale.ROOT);
    }
}
