package org.panallama.internal;

import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.NativeLibraries;

/**
 * Finds llama.cpp's libraries: in the folder that {@code -Dpanallama.native.dir} or {@code PANALLAMA_NATIVE_DIR} names, else
 * in a natives jar on the class path, from which they are unpacked into the user's cache. Of several, the one that {@code
 * -Dpanallama.native.classifier} or {@code PANALLAMA_NATIVE_CLASSIFIER} names is used, or one with a GPU backend.
 */
public final class NativeLocator {

    static final Setting FOLDER = new Setting("panallama.native.dir", "PANALLAMA_NATIVE_DIR");

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
        return locate(Platform.current());
    }

    static NativeLibraries locate(Platform platform) {
        return new NativeLocator(
                        System::getProperty,
                        System::getenv,
                        Objects.requireNonNullElseGet(
                                NativeLocator.class.getClassLoader(), ClassLoader::getSystemClassLoader),
                        platform,
                        new MountTable(MountTable.OF_THIS_PROCESS))
                .find();
    }

    NativeLibraries find() {
        Setting.Value folderOfUser = FOLDER.in(properties, environment);
        if (folderOfUser != null) {
            return NativeFolder.open(Path.of(folderOfUser.value()), platform, folderOfUser.source());
        }
        if (!platform.unsupported().isEmpty()) {
            throw new NativeLookupException(platform.unsupported() + ", and name its folder with -D" + FOLDER.property()
                    + "=DIR or " + FOLDER.variable() + ".");
        }
        NativeJars jars = new NativeJars(classes, platform);
        Setting.Value classifier = NativeJars.CLASSIFIER.in(properties, environment);
        NativeManifest manifest = classifier == null
                ? jars.choose("  -D" + FOLDER.property() + ": not set\n  " + FOLDER.variable() + ": not set\n")
                : jars.named(classifier.value(), classifier.source());
        Path folder = cache.folderOf(manifest);
        return new NativeLibraries(
                folder,
                manifest.loadOrder().stream().map(folder::resolve).toList(),
                manifest.llamaVersion(),
                manifest.container());
    }
}
