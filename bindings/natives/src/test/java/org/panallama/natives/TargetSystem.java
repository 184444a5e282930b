package org.panallama.natives;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.panallama.natives.SharedLibrary.Version;

/**
 * An operating system as README.md promises to support it.
 *
 * @param name for messages
 * @param format of its libraries
 * @param prefix what their names begin with
 * @param suffix what their names end with; backends' end with .so on macOS
 * @param besideItself the entry of a search path that stands for the library's own folder, empty where none is needed
 * @param oldest the oldest version that is supported
 * @param own libraries that come with it, or with what every program there needs
 * @param gpu libraries that come with a GPU's driver or toolkit; only backends for it may need them
 */
record TargetSystem(
        String name,
        String format,
        String prefix,
        String suffix,
        String besideItself,
        Version oldest,
        Pattern own,
        Map<String, List<String>> gpu) {

    private static final TargetSystem LINUX = new TargetSystem(
            "glibc",
            "ELF",
            "lib",
            ".so",
            "$ORIGIN",
            new Version(2, 34),
            Pattern.compile(
                    "lib(c|m)\\.so\\.6|libgcc_s\\.so\\.1|libstdc\\+\\+\\.so\\.6|ld-linux-(x86-64|aarch64)\\.so\\.[12]"),
            Map.of(
                    "libggml-cuda.so",
                    List.of("libcuda.so.1", "libcudart.so.13", "libcublas.so.13"),
                    "fallback/libggml-cuda.so",
                    List.of("libcuda.so.1", "libcudart.so.12", "libcublas.so.12"),
                    "libggml-vulkan.so",
                    List.of("libvulkan.so.1")));

    private static final TargetSystem MACOS = new TargetSystem(
            "macOS",
            "Mach-O",
            "lib",
            ".dylib",
            "@loader_path",
            new Version(14, 0),
            Pattern.compile("/usr/lib/lib(System\\.B|c\\+\\+\\.1|objc\\.A)\\.dylib|/System/Library/Frameworks/.+"),
            Map.of());

    /** MSVCP140.dll and VCRUNTIME140.dll are the Visual C++ runtime, which most JDKs have beside java.exe. */
    private static final TargetSystem WINDOWS = new TargetSystem(
            "Windows",
            "PE",
            "",
            ".dll",
            "",
            new Version(10, 0),
            Pattern.compile("(KERNEL32|ADVAPI32|SHELL32|WS2_32|MSVCP140|VCRUNTIME140(_1)?|api-ms-win-crt-.+)\\.dll"),
            Map.of(
                    "ggml-cuda.dll",
                    List.of("cublas64_13.dll"),
                    "fallback/ggml-cuda.dll",
                    List.of("nvcuda.dll", "cudart64_12.dll", "cublas64_12.dll"),
                    "ggml-vulkan.dll",
                    List.of("vulkan-1.dll")));

    static TargetSystem of(String classifier) {
        return switch (classifier.substring(0, classifier.indexOf('-'))) {
            case "linux" -> LINUX;
            case "osx" -> MACOS;
            case "windows" -> WINDOWS;
            default -> throw new IllegalArgumentException("no system of the name " + classifier);
        };
    }

    String architectureOf(String classifier) {
        return classifier.split("-")[1];
    }

    /** Whether the system, or the driver that a GPU's backend is for, has the library that another one needs. */
    boolean has(String needed, String by) {
        return own.matcher(needed).matches() || gpu.getOrDefault(by, List.of()).contains(needed);
    }
}
