package org.panallama.internal;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The operating system and processor that this JVM runs on.
 *
 * @param name names the natives, for example {@code linux-x86_64}
 * @param libraryPrefix what a library's file name begins with
 * @param librarySuffix what a library's file name ends with
 * @param unsupported why there are no prebuilt natives for it, or empty if there are
 */
record Platform(String name, String libraryPrefix, String librarySuffix, String unsupported) {

    /**
     * Of all natives jars. Each begins with the name of its platform; of one platform's, those with a GPU backend come first,
     * NVIDIA's own before Vulkan.
     */
    static final List<String> CLASSIFIERS = List.of(
            "linux-x86_64-cuda",
            "linux-x86_64-vulkan",
            "linux-x86_64",
            "linux-aarch_64",
            "osx-aarch_64",
            "osx-x86_64",
            "windows-x86_64-cuda",
            "windows-x86_64-vulkan",
            "windows-x86_64",
            "windows-aarch_64");

    /**
     * Of this JVM.
     *
     * @throws NativeLookupException if the JVM is a 32-bit one
     */
    static Platform current() {
        return of(
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                System.getProperty("sun.arch.data.model", "64"),
                runsOnMusl());
    }

    static Platform of(String osName, String osArch, String dataModel, boolean musl) {
        String arch = arch(osArch);
        if (!dataModel.equals("64") || arch.equals("x86") || arch.equals("arm")) {
            throw new NativeLookupException("This is a 32-bit JVM (os.arch " + osArch + ", " + dataModel
                    + " bit), and Panallama needs a 64-bit one. Install a 64-bit JDK, and start with that.");
        }
        String os = os(osName);
        String name = os + "-" + arch;
        String unsupported = "";
        if (musl) {
            unsupported =
                    "This JVM is linked to musl, as on Alpine Linux, and the prebuilt libraries need glibc 2.34 or"
                            + " newer. Use an image or a JDK with glibc, or build llama.cpp for musl";
        } else if (!CLASSIFIERS.contains(name)) {
            unsupported = "There are no prebuilt libraries for " + osName + " on " + osArch + ", only for "
                    + CLASSIFIERS.stream()
                            .filter(known -> known.matches("[^-]+-[^-]+"))
                            .collect(Collectors.joining(", "))
                    + ". Build llama.cpp on this platform";
        }
        return switch (os) {
            case "windows" -> new Platform(name, "", ".dll", unsupported);
            case "osx" -> new Platform(name, "lib", ".dylib", unsupported);
            default -> new Platform(name, "lib", ".so", unsupported);
        };
    }

    /** The processor's, for example {@code x86_64}. */
    String architecture() {
        return name.substring(name.lastIndexOf('-') + 1);
    }

    /** Of the natives jars that serve this platform, the preferred one first. */
    List<String> classifiers() {
        return CLASSIFIERS.stream()
                .filter(classifier -> classifier.equals(name) || classifier.startsWith(name + "-"))
                .toList();
    }

    /** For example {@code linux-x86_64 (with a GPU: linux-x86_64-cuda, linux-x86_64-vulkan)}. */
    String classifiersInWords() {
        List<String> gpu = gpuClassifiers();
        return gpu.isEmpty() ? name : name + " (with a GPU: " + String.join(", ", gpu) + ")";
    }

    /** Of the natives jars that serve this platform, those with a backend for GPUs besides the one that has what it can. */
    List<String> gpuClassifiers() {
        return classifiers().stream()
                .filter(classifier -> !classifier.equals(name))
                .toList();
    }

    /** Whether the file is a library by its name; llama.cpp's backends are {@code .so} on macOS too. */
    boolean isLibrary(String file) {
        return file.endsWith(librarySuffix) || (file.endsWith(".so") && !librarySuffix.equals(".dll"));
    }

    private static String os(String osName) {
        String os = osName.toLowerCase(Locale.ROOT);
        if (os.startsWith("windows")) {
            return "windows";
        }
        if (os.startsWith("mac") || os.startsWith("darwin")) {
            return "osx";
        }
        return os.replace(' ', '_');
    }

    private static String arch(String osArch) {
        String arch = osArch.toLowerCase(Locale.ROOT);
        return switch (arch) {
            case "amd64", "x86_64", "x86-64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch_64";
            case "x86", "i386", "i486", "i586", "i686" -> "x86";
            default -> arch.startsWith("armv") ? "arm" : arch;
        };
    }

    /** Whether this process runs on musl's loader; that one lies on the disk is not enough, since glibc may be there too. */
    private static boolean runsOnMusl() {
        Path maps = Path.of("/proc/self/maps");
        try (DirectoryStream<Path> loaders = Files.newDirectoryStream(Path.of("/lib"), "ld-musl-*")) {
            if (!loaders.iterator().hasNext()) {
                return false;
            }
            try (Stream<String> lines = Files.lines(maps)) {
                return lines.anyMatch(line -> line.contains("ld-musl-"));
            }
        } catch (IOException e) {
            return false;
        }
    }
}
