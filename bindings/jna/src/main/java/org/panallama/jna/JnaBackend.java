package org.panallama.jna;

import static org.panallama.jna.NativeMemory.text;
import static org.panallama.jna.NativeMemory.utf8;

import com.sun.jna.Callback;
import com.sun.jna.Native;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.BackendCalls;
import org.panallama.spi.LogSink;
import org.panallama.spi.Upcalls;

abstract class JnaBackend implements BackendCalls {

    /** A cache line, and enough for every vector instruction. */
    private static final long ALIGNMENT = 64;

    /** What {@link #allocate} returned, and where the memory begins that it lies in. */
    private static final Map<Long, Long> ALLOCATIONS = new ConcurrentHashMap<>();

    private static volatile @Nullable LogSink logSink;

    /** {@code ggml_log_callback}. */
    @FunctionalInterface
    private interface LogCallback extends Callback {
        void log(int level, long text, long unused);
    }

    /**
     * One function for all sinks: a thread of llama.cpp's may still be in it when the sink is replaced.
     *
     * <p>llama.cpp has one such function for the whole process, and calls it on behalf of every class loader that uses it. JNA
     * frees a callback that nothing reaches, as when an application server drops an application; so the JVM's list of
     * shutdown hooks reaches this one, and with it its class loader.
     */
    private static final LogCallback LOG = (level, text, unused) -> {
        try {
            LogSink sink = logSink;
            if (sink != null) {
                sink.log(level, text(text));
            }
        } catch (Throwable e) {
            Upcalls.report("log sink", e);
        }
    };

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Reference.reachabilityFence(LOG), "panallama-log"));
    }

    @Override
    public String version() {
        return text(LlamaFunctions.llama_version());
    }

    @Override
    public String systemInfo() {
        return text(LlamaFunctions.llama_print_system_info());
    }

    @Override
    public void backendInit() {
        LlamaFunctions.llama_backend_init();
    }

    @Override
    public void loadBackends(String directory) {
        GgmlFunctions.ggml_backend_load_all_from_path(utf8(directory));
    }

    @Override
    public void numaInit(int strategy) {
        LlamaFunctions.llama_numa_init(strategy);
    }

    @Override
    public synchronized void setLog(@Nullable LogSink sink) {
        if (sink == null) {
            LlamaFunctions.llama_log_set(0, 0);
            logSink = null;
        } else {
            logSink = sink;
            LlamaFunctions.llama_log_set(CLibrary.pointer(LOG), 0);
        }
    }

    @Override
    public long timeMicros() {
        return LlamaFunctions.llama_time_us();
    }

    @Override
    public boolean supportsMmap() {
        return LlamaFunctions.llama_supports_mmap() != 0;
    }

    @Override
    public boolean supportsMlock() {
        return LlamaFunctions.llama_supports_mlock() != 0;
    }

    @Override
    public boolean supportsGpuOffload() {
        return LlamaFunctions.llama_supports_gpu_offload() != 0;
    }

    @Override
    public int maxDevices() {
        return Math.toIntExact(LlamaFunctions.llama_max_devices());
    }

    @Override
    public int maxSequences() {
        return Math.toIntExact(LlamaFunctions.llama_max_parallel_sequences());
    }

    @Override
    public int deviceCount() {
        return Math.toIntExact(GgmlFunctions.ggml_backend_dev_count());
    }

    @Override
    public long device(int index) {
        return GgmlFunctions.ggml_backend_dev_get(index);
    }

    @Override
    public String deviceName(long device) {
        return text(GgmlBaseFunctions.ggml_backend_dev_name(device));
    }

    @Override
    public String deviceDescription(long device) {
        return text(GgmlBaseFunctions.ggml_backend_dev_description(device));
    }

    @Override
    public int deviceType(long device) {
        return GgmlBaseFunctions.ggml_backend_dev_type(device);
    }

    @Override
    public String deviceBackend(long device) {
        return text(GgmlBaseFunctions.ggml_backend_reg_name(GgmlBaseFunctions.ggml_backend_dev_backend_reg(device)));
    }

    @Override
    public void deviceMemory(long device, long[] freeAndTotal) {
        long[] free = new long[1];
        long[] total = new long[1];
        GgmlBaseFunctions.ggml_backend_dev_memory(device, free, total);
        freeAndTotal[0] = free[0];
        freeAndTotal[1] = total[0];
    }

    @Override
    public long deviceBufferType(long device) {
        return GgmlBaseFunctions.ggml_backend_dev_buffer_type(device);
    }

    @Override
    public long allocate(long bytes) {
        long block = NativeMemory.allocate(Math.addExact(Math.max(bytes, 1), ALIGNMENT));
        long address = (block + ALIGNMENT - 1) & -ALIGNMENT;
        ALLOCATIONS.put(address, block);
        return address;
    }

    @Override
    public void free(long address) {
        if (address == 0) {
            return;
        }
        Long block = ALLOCATIONS.remove(address);
        if (block == null) {
            throw new IllegalArgumentException("nothing is allocated at 0x" + Long.toHexString(address));
        }
        Native.free(block);
    }

    @Override
    public ByteBuffer view(long address, int bytes) {
        return NativeMemory.view(address, bytes);
    }
}
