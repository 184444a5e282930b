package org.panallama.internal;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
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
        List<String> attempts = new ArrayList<>();
        List<BindingProvider> providers = providers(attempts);
        if (providers.isEmpty()) {
            throw new LlamaUnavailableException(noBinding(attempts), null);
        }
        NativeLibraries libraries;
        try {
            libraries = NativeLocator.locate();
        } catch (NativeLookupException e) {
            throw new LlamaUnavailableException(e.getMessage(), e);
        }
        UnsatisfiedLinkError last = null;
        for (BindingProvider provider : providers) {
            try {
                NativeRuntime runtime = new NativeRuntime(provider.name(), provider.open(libraries), libraries);
                runtime.start();
                return runtime;
            } catch (UnsatisfiedLinkError e) {
                attempts.add(provider.name() + ": " + e.getMessage());
                last = e;
            }
        }
        throw new LlamaUnavailableException(
                "llama.cpp from " + libraries.source() + " does not load:\n  " + String.join("\n  ", attempts)
                        + "\nA missing libstdc++.so.6 or a glibc older than 2.34 are the usual reasons on Linux.",
                last);
    }

    private static List<BindingProvider> providers(List<String> attempts) {
        String wanted = System.getProperty("panallama.binding");
        List<BindingProvider> usable = new ArrayList<>();
        Iterator<BindingProvider> found = ServiceLoader.load(
                        BindingProvider.class, NativeRuntime.class.getClassLoader())
                .iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    break;
                }
                BindingProvider provider = found.next();
                String cause = provider.unavailabilityCause();
                if (wanted != null && !wanted.equals(provider.name())) {
                    attempts.add(provider.name() + ": -Dpanallama.binding=" + wanted + " asks for another one");
                } else if (cause != null) {
                    attempts.add(provider.name() + ": " + cause);
                } else {
                    usable.add(provider);
                }
            } catch (ServiceConfigurationError | LinkageError e) {
                // A binding compiled for a newer JDK than this one ends up here.
                attempts.add(String.valueOf(e.getMessage()));
            }
        }
        usable.sort(Comparator.comparingInt(BindingProvider::priority).reversed());
        return usable;
    }

    private static String noBinding(List<String> attempts) {
        String java = "Java " + Runtime.version().feature();
        if (attempts.isEmpty()) {
            return "No binding to llama.cpp is on the class path of this " + java
                    + " JVM: add the dependency org.panallama:panallama, which brings it along.";
        }
        return "No binding to llama.cpp can run in this " + java + " JVM:\n  " + String.join("\n  ", attempts)
                + "\npanallama-ffm (ffm) needs JDK 22 or newer, panallama-jna (jna) JDK 17 or newer and JNA;"
                + " org.panallama:panallama brings both along.";
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
            LOG.warn(
                    "No GPU is used, the CPU computes everything:\n  {}\nA driver and, for CUDA, NVIDIA's libraries cudart and"
                            + " cublas of the named version are what is usually missing.",
                    String.join("\n  ", problems));
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
