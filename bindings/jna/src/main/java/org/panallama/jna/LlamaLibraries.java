package org.panallama.jna;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.NativeLibraries;

/** The libraries of the llama.cpp runtime, loaded once per class loader and never unloaded. */
final class LlamaLibraries {

    /** Each has the functions of one library; which file that is depends on the build of llama.cpp. */
    private static final List<Class<?>> FUNCTIONS =
            List.of(GgmlBaseFunctions.class, GgmlFunctions.class, LlamaFunctions.class);

    private static final int RTLD_LAZY = 1;

    private static @Nullable LlamaLibraries loaded;

    private final Path directory;

    /** Kept: JNA closes a library that nobody holds. */
    private final List<NativeLibrary> opened;

    private LlamaLibraries(Path directory, List<NativeLibrary> opened) {
        this.directory = directory;
        this.opened = opened;
    }

    /**
     * Opens the libraries, and binds every native method of {@link #FUNCTIONS}.
     *
     * @throws UnsatisfiedLinkError if one does not load or lacks a function
     * @throws IllegalStateException if others are loaded already
     */
    static synchronized void load(NativeLibraries libraries) {
        if (loaded != null) {
            libraries.checkSameAs(loaded.directory);
            return;
        }
        List<NativeLibrary> opened = new ArrayList<>();
        for (Path library : libraries.loadOrder()) {
            opened.add(open(library.toAbsolutePath()));
        }
        LlamaLibraries candidate = new LlamaLibraries(libraries.directory(), List.copyOf(opened));
        candidate.checkComplete(libraries);
        for (Class<?> functions : FUNCTIONS) {
            candidate.bind(functions);
        }
        loaded = candidate;
    }

    /**
     * Opens one more library of the same directory, and binds the native methods of a class to its functions.
     *
     * @throws UnsatisfiedLinkError if it is not there, does not load or lacks a function
     */
    static synchronized void bindBeside(String name, Class<?> functions) {
        if (loaded == null) {
            throw new IllegalStateException("llama.cpp is not loaded; JnaBindingProvider.open comes first");
        }
        Path library = loaded.directory.toAbsolutePath().resolve(name);
        if (!Files.exists(library)) {
            throw new UnsatisfiedLinkError("there is none in " + loaded.directory);
        }
        Native.register(functions, open(library));
    }

    /** JNA would make the symbols of a library visible to all others, unless told not to. */
    private static NativeLibrary open(Path library) {
        Map<String, ?> options = Platform.isWindows() ? Map.of() : Map.of(Library.OPTION_OPEN_FLAGS, RTLD_LAZY);
        return NativeLibrary.getInstance(library.toString(), options);
    }

    private void bind(Class<?> functions) {
        for (NativeLibrary library : opened) {
            if (names(functions).stream().allMatch(name -> has(library, name))) {
                Native.register(functions, library);
                return;
            }
        }
        throw new UnsatisfiedLinkError("no library in " + directory + " has all functions of "
                + functions.getSimpleName().replace("Functions", ""));
    }

    private void checkComplete(NativeLibraries libraries) {
        List<String> missing = FUNCTIONS.stream()
                .flatMap(functions -> names(functions).stream())
                .filter(name -> opened.stream().noneMatch(library -> has(library, name)))
                .sorted()
                .toList();
        if (!missing.isEmpty()) {
            throw libraries.lacks(missing.size(), missing.get(missing.size() - 1));
        }
    }

    private static List<String> names(Class<?> functions) {
        return Arrays.stream(functions.getDeclaredMethods())
                .filter(method -> Modifier.isNative(method.getModifiers()))
                .map(Method::getName)
                .toList();
    }

    private static boolean has(NativeLibrary library, String function) {
        try {
            library.getGlobalVariableAddress(function);
            return true;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }
}
