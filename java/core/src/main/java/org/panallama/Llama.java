package org.panallama;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.Binding;

/**
 * llama.cpp in this JVM: whether it is there, what it can do, what it runs on.
 *
 * <p>The native libraries are found and loaded on first use of anything here or of {@link Model#load}. They come from {@code
 * -Dpanallama.native.dir}, from the environment variable {@code PANALLAMA_NATIVE_DIR}, or from the {@code panallama-natives}
 * jar of this platform. llama.cpp's log goes to the slf4j logger {@code org.panallama.llama}, its INFO lines at level DEBUG.
 *
 * <p>All methods may be called from any thread.
 */
public final class Llama {

    private Llama() {}

    /** Whether llama.cpp can be used here; {@link #unavailabilityCause()} says why not. */
    public static boolean isAvailable() {
        return unavailabilityCause() == null;
    }

    /** Why llama.cpp cannot be used in this JVM, with every place that was tried; {@code null} if it can. */
    public static @Nullable Throwable unavailabilityCause() {
        return NativeRuntime.unavailabilityCause();
    }

    /**
     * llama.cpp's release, for example {@code v0.4.0}.
     *
     * @throws LlamaUnavailableException if llama.cpp cannot be loaded
     */
    public static String version() {
        return binding().version();
    }

    /** The binding in use: {@code ffm} (JDK 22 and newer) or {@code jna}. */
    public static String bindingName() {
        return NativeRuntime.get().bindingName();
    }

    /** The CPU variant that llama.cpp chose by its own scoring, for example {@code zen4} or {@code haswell}. */
    public static String cpuVariant() {
        return NativeRuntime.get().cpuVariant();
    }

    /** What llama.cpp says about the features it was compiled with and the processor's instruction sets. */
    public static String systemInfo() {
        return binding().systemInfo();
    }

    /** The devices of this machine that a backend was loaded for, with their memory as of now. */
    public static List<Device> devices() {
        return new AttachedDevices(binding()).devices();
    }

    /**
     * What a model is offloaded to where nobody {@linkplain ModelOptions.Builder#devices chooses}: all GPUs of one backend, since a
     * second backend may drive the same ones; those that share main memory where there are no others.
     */
    public static List<Device> gpus() {
        return new AttachedDevices(binding())
                .gpus().stream().map(AttachedDevices.Attached::device).toList();
    }

    /** Whether a loaded backend can take layers off the CPU. */
    public static boolean supportsGpuOffload() {
        return binding().supportsGpuOffload();
    }

    /** Whether files can be memory-mapped. */
    public static boolean supportsMmap() {
        return binding().supportsMmap();
    }

    /** Whether memory can be locked against swapping. */
    public static boolean supportsMlock() {
        return binding().supportsMlock();
    }

    /** The largest number of sequences that one context can hold. */
    public static int maxSequences() {
        return binding().maxSequences();
    }

    /** The names of the chat templates that llama.cpp knows without a Jinja interpreter. */
    public static List<String> builtinChatTemplates() {
        return List.of(binding().builtinChatTemplates());
    }

    /** Sets the placement of threads on machines with several memory nodes. Call it before the first model is loaded. */
    public static void numa(NumaStrategy strategy) {
        binding().numaInit(Objects.requireNonNull(strategy, "strategy").code());
    }

    static Binding binding() {
        return NativeRuntime.get().binding();
    }
}
