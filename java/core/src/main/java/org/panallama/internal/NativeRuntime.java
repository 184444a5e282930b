package org.panallama.internal;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaUnavailableException;
import org.panallama.spi.Binding;
import org.panallama.spi.BindingProvider;
import org.panallama.spi.NativeLibraries;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** llama.cpp in this JVM: found, loaded and initialised once, on first use. */
public final class NativeRuntime {

    private static final Logger LOG = LoggerFactory.getLogger(NativeRuntime.class);
    private static final int CPU = 0;
    private static final int GPU = 1;
    private static final int INTEGRATED_GPU = 2;

    private final Binding binding;
    private final String bindingName;
    private final NativeLibraries libraries;
    private final LogRouter log = new LogRouter();

    private NativeRuntime(String bindingName, Binding binding, NativeLibraries libraries) {
        this.bindingName = bindingName;
        this.binding = binding;
        this.libraries = libraries;
    }

    /** Holds the outcome of the one attempt to load. */
    private static final class Holder {
        static final @Nullable NativeRuntime RUNTIME;
        static final @Nullable LlamaUnavailableException CAUSE;

        static {
            NativeRuntime runtime = null;
            LlamaUnavailableException cause = null;
            try {
                runtime = load();
            } catch (LlamaUnavailableException e) {
                cause = e;
            } catch (RuntimeException | LinkageError e) {
                cause = new LlamaUnavailableException("llama.cpp could not be loaded: " + e.getMessage(), e);
            }
            RUNTIME = runtime;
            CAUSE = cause;
        }
    }

    /**
     * The runtime, loaded on the first call.
     *
     * @throws LlamaUnavailableException if it cannot be loaded; later calls throw the same
     */
    public static NativeRuntime get() {
        NativeRuntime runtime = Holder.RUNTIME;
        if (runtime == null) {
            throw new LlamaUnavailableException(Holder.CAUSE.getMessage(), Holder.CAUSE);
        }
        return runtime;
    }

    /** Why {@link #get} throws, or {@code null} if it does not. */
    public static @Nullable Throwable unavailabilityCause() {
        return Holder.CAUSE;
    }

    public Binding binding() {
        return binding;
    }

    /** {@code ffm} or {@code jna}. */
    public String bindingName() {
        return bindingName;
    }

    public NativeLibraries libraries() {
        return libraries;
    }

    public LogRouter log() {
        return log;
    }

    private static NativeRuntime load() {
        List<BindingProvider> bindings;
        NativeLibraries libraries;
        try {
            // First: on an unsupported machine, what it says is closer to the cause than that no binding runs.
            Platform platform = Platform.current();
            bindings = new BindingChoice(
                            ServiceLoader.load(BindingProvider.class, NativeRuntime.class.getClassLoader()),
                            Runtime.version().feature())
                    .choose(BindingChoice.BINDING.in(System::getProperty, System::getenv));
            libraries = NativeLocator.locate(platform);
        } catch (NativeLookupException e) {
            throw new LlamaUnavailableException(e.getMessage(), e);
        }
        List<String> failures = new ArrayList<>();
        UnsatisfiedLinkError last = null;
        for (BindingProvider binding : bindings) {
            try {
                NativeRuntime runtime = new NativeRuntime(binding.name(), binding.open(libraries), libraries);
                runtime.start();
                return runtime;
            } catch (UnsatisfiedLinkError e) {
                failures.add(binding.name() + ": " + e.getMessage());
                last = e;
            }
        }
        throw new LlamaUnavailableException(
                LoaderAdvice.withAdvice(
                        "llama.cpp from " + libraries.source() + " does not load:\n  " + String.join("\n  ", failures),
                        "\n"),
                last);
    }

    private void start() {
        binding.setLog(log);
        Deque<String> kept = LogRouter.newKeeper();
        log.keeping(kept, () -> {
            loadBackends();
            return null;
        });
        binding.backendInit();
        List<String> devices = new ArrayList<>();
        boolean cpu = false;
        for (int i = 0; i < binding.deviceCount(); i++) {
            long device = binding.device(i);
            cpu |= binding.deviceType(device) == CPU;
            devices.add(binding.deviceName(device) + " (" + binding.deviceDescription(device) + ")");
        }
        if (!cpu) {
            throw new LlamaUnavailableException(
                    "No CPU backend of llama.cpp loads from " + libraries.directory() + ": it needs the libggml-cpu-*"
                            + " libraries beside libllama." + LogRouter.explain(kept),
                    null);
        }
        LOG.info(
                "llama.cpp {} through {}, devices {}, CPU variant {}",
                binding.version(),
                bindingName,
                devices,
                cpuVariant());
        List<String> problems = hasGpu() ? List.of() : GpuBackends.problems(libraries.directory());
        if (!problems.isEmpty()) {
            LOG.warn("No GPU is used, the CPU computes everything:\n  {}", String.join("\n  ", problems));
        }
    }

    /**
     * CUDA's backend comes twice, and that in the folder {@code fallback} is for machines with the runtime of the major
     * version before.
     */
    private void loadBackends() {
        binding.loadBackends(libraries.directory().toString());
        Path fallback = libraries.directory().resolve("fallback");
        if (Files.isDirectory(fallback) && !hasGpu()) {
            binding.loadBackends(fallback.toString());
        }
    }

    /** Why there is no GPU among the devices, in sentences. */
    public String whyNoGpu() {
        List<String> problems = GpuBackends.problems(libraries.directory());
        if (!problems.isEmpty()) {
            return String.join("; ", problems) + ".";
        }
        List<String> others = Platform.current().gpuClassifiers();
        return "llama.cpp from " + libraries.source() + " has no backend for one"
                + (others.isEmpty()
                        ? "."
                        : "; org.panallama:panallama-natives has, with the classifier " + String.join(" or ", others)
                                + ".");
    }

    private boolean hasGpu() {
        return IntStream.range(0, binding.deviceCount())
                .map(i -> binding.deviceType(binding.device(i)))
                .anyMatch(type -> type == GPU || type == INTEGRATED_GPU);
    }

    /** The name of the CPU backend that llama.cpp chose, for example {@code zen4}; {@code unknown} if it did not say. */
    public String cpuVariant() {
        return log.cpuVariant();
    }
}
