package org.panallama.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.panallama.ffm.generated.llama_h;
import org.panallama.spi.NativeLibraries;

/**
 * The libraries of the llama.cpp runtime, loaded once per class loader and never unloaded. The generated code resolves every
 * function here, and nowhere else on the machine.
 *
 * <p>They are opened as plain libraries rather than by {@link System#load}, which would allow one class loader of the JVM
 * only: an application server or a notebook may bring Panallama along in several.
 */
public final class LlamaLibraries {

    private static @Nullable LlamaLibraries loaded;

    private final Path directory;
    private final List<SymbolLookup> lookups;

    private LlamaLibraries(Path directory, List<SymbolLookup> lookups) {
        this.directory = directory;
        this.lookups = lookups;
    }

    /** The libraries that {@link #load} opened. Called when the generated classes are initialized. */
    public static synchronized LlamaLibraries loaded() {
        if (loaded == null) {
            throw new IllegalStateException("llama.cpp is not loaded; FfmBindingProvider.open comes first");
        }
        return loaded;
    }

    /**
     * Opens the libraries and checks that they have every function that the generated code calls.
     *
     * @throws UnsatisfiedLinkError if one does not load or lacks a function
     * @throws IllegalStateException if others are loaded already
     */
    static synchronized void load(NativeLibraries libraries) {
        if (loaded != null) {
            libraries.checkSameAs(loaded.directory);
            return;
        }
        List<SymbolLookup> lookups = new ArrayList<>();
        for (Path library : libraries.loadOrder()) {
            lookups.add(open(library.toAbsolutePath()));
        }
        LlamaLibraries candidate = new LlamaLibraries(libraries.directory(), List.copyOf(lookups));
        candidate.checkComplete(libraries);
        loaded = candidate;
    }

    /** The address of a function; the generated code asks by this name. */
    public MemorySegment findOrThrow(String function) {
        return find(function)
                .orElseThrow(() -> new UnsatisfiedLinkError("no function " + function + " in " + directory));
    }

    private Optional<MemorySegment> find(String function) {
        for (SymbolLookup lookup : lookups) {
            Optional<MemorySegment> address = lookup.find(function);
            if (address.isPresent()) {
                return address;
            }
        }
        return Optional.empty();
    }

    /**
     * Opens one more library of the same directory.
     *
     * @throws UnsatisfiedLinkError if it is not there or does not load
     */
    SymbolLookup openBeside(String name) {
        Path library = directory.toAbsolutePath().resolve(name);
        if (!Files.exists(library)) {
            throw new UnsatisfiedLinkError("there is none in " + directory);
        }
        return open(library);
    }

    private static SymbolLookup open(Path library) {
        try {
            return SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException e) {
            // That exception does not tell what the dynamic linker said. This call fails for the same reason, and does.
            System.load(library.toString());
            throw e;
        } catch (IllegalCallerException e) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError("this JVM forbids native access: start it with"
                    + " --enable-native-access=ALL-UNNAMED (or the name of the module that holds Panallama)");
            error.initCause(e);
            throw error;
        }
    }

    /** The generated class has one method {@code NAME$address} for each function; reading their names links none of them. */
    private void checkComplete(NativeLibraries libraries) {
        String suffix = "$address";
        List<String> missing = Arrays.stream(llama_h.class.getDeclaredMethods())
                .map(method -> method.getName())
                .filter(name -> name.endsWith(suffix))
                .map(name -> name.substring(0, name.length() - suffix.length()))
                .filter(function -> find(function).isEmpty())
                .sorted()
                .toList();
        if (!missing.isEmpty()) {
            throw libraries.lacks(missing.size(), missing.get(0));
        }
    }
}
