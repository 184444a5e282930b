package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;
import static org.panallama.ffm.NativeMemory.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.panallama.ffm.generated.ggml_log_callback;
import org.panallama.ffm.generated.llama_h;
import org.panallama.spi.BackendCalls;
import org.panallama.spi.LogSink;
import org.panallama.spi.Upcalls;

abstract class FfmBackend implements BackendCalls {

    /** A cache line, and enough for every vector instruction. */
    private static final long ALIGNMENT = 64;

    private static final Map<Long, Arena> ALLOCATIONS = new ConcurrentHashMap<>();

    private static volatile @Nullable LogSink logSink;

    /** One function for all sinks: a thread of llama.cpp's may still be in it when the sink is replaced. */
    private static final class LogCallback {

        static final MemorySegment ADDRESS = ggml_log_callback.allocate(LogCallback::log, Arena.global());

        private static void log(int level, MemorySegment text, MemorySegment unused) {
            try {
                LogSink sink = logSink;
                if (sink != null) {
                    sink.log(level, text(text));
                }
            } catch (Throwable e) {
                Upcalls.report("log sink", e);
            }
        }
    }

    @Override
    public String version() {
        return text(llama_h.llama_version());
    }

    @Override
    public String systemInfo() {
        return text(llama_h.llama_print_system_info());
    }

    @Override
    public void backendInit() {
        llama_h.llama_backend_init();
    }

    @Override
    public void loadBackends(String directory) {
        try (Arena arena = Arena.ofConfined()) {
            llama_h.ggml_backend_load_all_from_path(text(arena, directory));
        }
    }

    @Override
    public void numaInit(int strategy) {
        llama_h.llama_numa_init(strategy);
    }

    @Override
    public synchronized void setLog(@Nullable LogSink sink) {
        if (sink == null) {
            llama_h.llama_log_set(MemorySegment.NULL, MemorySegment.NULL);
            logSink = null;
        } else {
            logSink = sink;
            llama_h.llama_log_set(LogCallback.ADDRESS, MemorySegment.NULL);
        }
    }

    @Override
    public long timeMicros() {
        return llama_h.llama_time_us();
    }

    @Override
    public boolean supportsMmap() {
        return llama_h.llama_supports_mmap();
    }

    @Override
    public boolean supportsMlock() {
        return llama_h.llama_supports_mlock();
    }

    @Override
    public boolean supportsGpuOffload() {
        return llama_h.llama_supports_gpu_offload();
    }

    @Override
    public int maxDevices() {
        return Math.toIntExact(llama_h.llama_max_devices());
    }

    @Override
    public int maxSequences() {
        return Math.toIntExact(llama_h.llama_max_parallel_sequences());
    }

    @Override
    public int deviceCount() {
        return Math.toIntExact(llama_h.ggml_backend_dev_count());
    }

    @Override
    public long device(int index) {
        return llama_h.ggml_backend_dev_get(index).address();
    }

    @Override
    public String deviceName(long device) {
        return text(llama_h.ggml_backend_dev_name(pointer(device)));
    }

    @Override
    public String deviceDescription(long device) {
        return text(llama_h.ggml_backend_dev_description(pointer(device)));
    }

    @Override
    public int deviceType(long device) {
        return llama_h.ggml_backend_dev_type(pointer(device));
    }

    @Override
    public String deviceBackend(long device) {
        return text(llama_h.ggml_backend_reg_name(llama_h.ggml_backend_dev_backend_reg(pointer(device))));
    }

    @Override
    public void deviceMemory(long device, long[] freeAndTotal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sizes = arena.allocate(ValueLayout.JAVA_LONG, 2);
            llama_h.ggml_backend_dev_memory(pointer(device), sizes, sizes.asSlice(Long.BYTES));
            freeAndTotal[0] = sizes.getAtIndex(ValueLayout.JAVA_LONG, 0);
            freeAndTotal[1] = sizes.getAtIndex(ValueLayout.JAVA_LONG, 1);
        }
    }

    @Override
    public long deviceBufferType(long device) {
        return llama_h.ggml_backend_dev_buffer_type(pointer(device)).address();
    }

    @Override
    public long allocate(long bytes) {
        Arena arena = Arena.ofShared();
        try {
            long address = arena.allocate(Math.max(bytes, 1), ALIGNMENT).address();
            ALLOCATIONS.put(address, arena);
            return address;
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public void free(long address) {
        if (address == 0) {
            return;
        }
        Arena arena = ALLOCATIONS.remove(address);
        if (arena == null) {
            throw new IllegalArgumentException("nothing is allocated at 0x" + Long.toHexString(address));
        }
        arena.close();
    }

    @Override
    public ByteBuffer view(long address, int bytes) {
        return NativeMemory.view(address, bytes);
    }
}
