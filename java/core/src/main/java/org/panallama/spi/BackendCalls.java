package org.panallama.spi;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Library-wide calls: start-up, devices, log, native memory. */
public interface BackendCalls {

    /** {@code llama_version}. */
    String version();

    /** {@code llama_print_system_info}. */
    String systemInfo();

    /** {@code llama_backend_init}. */
    void backendInit();

    /** {@code ggml_backend_load_all_from_path}: loads the best CPU variant and every GPU backend of a directory. */
    void loadBackends(String directory);

    /** {@code llama_numa_init}, with a {@code ggml_numa_strategy}. */
    void numaInit(int strategy);

    /** {@code llama_log_set}; {@code null} restores llama.cpp's own printing to stderr. The sink is held strongly. */
    void setLog(@Nullable LogSink sink);

    /** {@code llama_time_us}. */
    long timeMicros();

    boolean supportsMmap();

    boolean supportsMlock();

    boolean supportsGpuOffload();

    /** {@code llama_max_devices}: the length that {@code tensorSplit} must have. */
    int maxDevices();

    /** {@code llama_max_parallel_sequences}. */
    int maxSequences();

    /** {@code ggml_backend_dev_count}. */
    int deviceCount();

    /** {@code ggml_backend_dev_get}. */
    long device(int index);

    String deviceName(long device);

    String deviceDescription(long device);

    /** {@code ggml_backend_dev_type}. */
    int deviceType(long device);

    /** The name of the backend registration that the device belongs to, for example {@code CPU} or {@code Vulkan}. */
    String deviceBackend(long device);

    /** {@code ggml_backend_dev_memory}; writes free and total bytes to {@code freeAndTotal[0..1]}. */
    void deviceMemory(long device, long[] freeAndTotal);

    /** {@code ggml_backend_dev_buffer_type}: a value for {@link ModelParams#overrideBufferTypes()}. */
    long deviceBufferType(long device);

    /** Zeroed native memory, aligned to 64 bytes. */
    long allocate(long bytes);

    /** Frees what {@link #allocate} returned; 0 is ignored. */
    void free(long address);

    /** A view of native memory in native byte order. It does not keep the memory alive. */
    ByteBuffer view(long address, int bytes);
}
