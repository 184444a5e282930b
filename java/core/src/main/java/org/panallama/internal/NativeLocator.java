package org.panallama.internal;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.NativeLibraries;

/**
 * Finds llama.cpp's libraries: in the folder that {@code -Dpanallama.native.dir} or {@code PANALLAMA_NATIVE_DIR} names, else
 * in a natives jar on the class path, from which they are unpacked into the user's cache.
 */
public final class NativeLocator {

    private static final String PROPERTY = "panallama.native.dir";
    private static final String VARIABLE = "PANALLAMA_NATIVE_DIR";

    private final Function<String, @Nullable String> properties;
    private final Function<String, @Nullable String> environment;
    private final ClassLoader classes;
    private final Platform platform;
    private final NativeCache cache;

    NativeLocator(
            Function<String, @Nullable String> properties,
            Function<String, @Nullable String> environment,
            ClassLoader classes,
            Platform platform,
            MountTable mounts) {
        this.properties = properties;
        this.environment = environment;
        this.classes = classes;
        this.platform = platform;
        this.cache = new NativeCache(CacheFolders.of(properties, environment), mounts);
    }

    /**
     * Finds, and where needed unpacks, the libraries for this JVM. Loads none.
     *
     * @throws NativeLookupException if they cannot be had; the message lists every place tried, and the way out
     */
    public static NativeLibraries locate() {
        return new NativeLocator(
                        System::getProperty,
                        System::getenv,
                        Objects.requireNonNullElseGet(
                                NativeLocator.class.getClassLoader(), ClassLoader::getSystemClassLoader),
                        Platform.current(),
                        new MountTable(MountTable.OF_THIS_PROCESS))
                .find();
    }

    NativeLibraries find() {
        String byProperty = properties.apply(PROPERTY);
        if (byProperty != null && !byProperty.isBlank()) {
            return NativeFolder.open(Path.of(byProperty), platform, "-D" + PROPERTY + "=" + byProperty);
        }
        String byVariable = environment.apply(VARIABLE);
        if (byVariable != null && !byVariable.isBlank()) {
            return NativeFolder.open(Path.of(byVariable), platform, VARIABLE + "=" + byVariable);
        }
        if (!platform.unsupported().isEmpty()) {
            throw new NativeLookupException(
                    platform.unsupported() + ", and name its folder with -D" + PROPERTY + "=DIR or " + VARIABLE + ".");
        }
        NativeManifest manifest = manifest();
        Path folder = cache.folderOf(manifest);
        return new NativeLibraries(
                folder,
                manifest.loadOrder().stream().map(folder::resolve).toList(),
                manifest.llamaVersion(),
                manifest.container());
    }

    private NativeManifest manifest() {
        String resource = NativeManifest.resourceOf(platform);
        List<NativeManifest> found = new ArrayList<>();
        for (URL location : locations(resource)) {
            found.add(NativeManifest.read(location));
        }
        if (found.isEmpty()) {
            throw new NativeLookupException("llama.cpp's libraries for " + platform.name() + " were not found. Tried:\n"
                    + "  -D" + PROPERTY + ": not set\n"
                    + "  " + VARIABLE + ": not set\n"
                    + "  class path: no " + resource + "\n"
                    + "Add the dependency org.panallama:panallama, which brings them, or"
                    + " org.panallama:panallama-natives with the classifier " + platform.name()
                    + "; or name a folder that holds them with -D" + PROPERTY + "=DIR.");
        }
        NativeManifest first = found.get(0);
        for (NativeManifest other : found) {
            if (!other.hash().equals(first.hash())) {
                throw new NativeLookupException("Different natives for " + platform.name()
                        + " are on the class path:\n  "
                        + first.container() + " (llama.cpp " + first.llamaVersion() + ")\n  " + other.container()
                        + " (llama.cpp " + other.llamaVersion() + ")\nLeave the one of the version of panallama-core.");
            }
        }
        return first;
    }

    private List<URL> locations(String resource) {
        try {
            return Collections.list(classes.getResources(resource));
        } catch (IOException e) {
            throw new NativeLookupException("The class path cannot be searched for " + resource + ": " + e);
        }
    }
}
