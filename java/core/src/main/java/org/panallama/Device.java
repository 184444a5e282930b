package org.panallama;

/**
 * Hardware that llama.cpp can compute on, as it was when {@link Llama#devices()} was called.
 *
 * @param name llama.cpp's name for it, for example {@code CPU} or {@code Vulkan0}; {@link ModelOptions.Builder#devices} takes it
 * @param description the vendor's name
 * @param kind what sort of hardware it is
 * @param backend the llama.cpp backend that drives it
 * @param freeMemory free bytes, 0 if unknown
 * @param totalMemory all bytes, 0 if unknown
 */
public record Device(
        String name, String description, DeviceKind kind, String backend, long freeMemory, long totalMemory) {}
