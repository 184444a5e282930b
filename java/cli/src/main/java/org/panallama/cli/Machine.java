package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.panallama.Device;
import org.panallama.Llama;
import org.panallama.fit.MachineMemory;

/**
 * What a model can be run on.
 *
 * @param memory that models can be put into
 * @param devices all of them
 */
record Machine(MachineMemory memory, List<Device> devices) {

    static Machine present() {
        return new Machine(MachineMemory.present(), Llama.isAvailable() ? Llama.devices() : List.of());
    }

    /** Bytes of main memory and of the GPUs that have a memory of their own. */
    long allMemory() {
        return memory.total() + memory.gpuTotal();
    }

    void print(Output out) {
        for (Device device : devices) {
            out.line(String.format(
                    Locale.ROOT,
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
