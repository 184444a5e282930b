package org.panallama.internal;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The way out, by what the system's loader says where a library does not load. */
final class LoaderAdvice {

    private static final Map<Pattern, Function<MatchResult, String>> RULES = new LinkedHashMap<>();

    static {
        // glibc's words, for the first one musl's too, and on Windows the JVM's.
        rule(
                "libstdc\\+\\+\\.so\\.\\d+: cannot open|Error loading shared library libstdc\\+\\+",
                match ->
                        "The C++ runtime is missing: install it (Debian and Ubuntu: apt-get install libstdc++6; Fedora:"
                                + " dnf install libstdc++).");
        rule(
                "libgomp\\.so\\.\\d+: cannot open",
                match ->
                        "The OpenMP runtime is missing: install it (Debian and Ubuntu: apt-get install libgomp1; Fedora:"
                                + " dnf install libgomp).");
        rule(
                "libvulkan\\.so\\.\\d+: cannot open|vulkan-1\\.dll",
                match ->
                        "The Vulkan loader is missing: install it (Debian and Ubuntu: apt-get install libvulkan1; Fedora:"
                                + " dnf install vulkan-loader) and a Vulkan driver of the GPU.");
        rule(
                "libcuda\\.so\\.\\d+: cannot open|nvcuda\\.dll",
                match -> "NVIDIA's driver is missing: install it; in a container, start that with the GPU"
                        + " (docker run --gpus all).");
        rule(
                "lib(cudart|cublas|cublasLt)\\.so\\.(\\d+): cannot open",
                match -> "NVIDIA's lib" + match.group(1) + " of CUDA " + match.group(2)
                        + " is missing: install the CUDA runtime of that version, or put its folder into"
                        + " LD_LIBRARY_PATH.");
        rule(
                "version [`']GLIBC_([0-9.]+)'? not found",
                match -> "The C library is too old, glibc " + match.group(1)
                        + " or newer is needed: use a newer system or image (Debian 12, Ubuntu 22.04 and Enterprise Linux 9"
                        + " have it).");
        rule(
                "version [`'](GLIBCXX|CXXABI)_[0-9.]+'? not found",
                match ->
                        "The C++ runtime is too old, that of GCC 12 or newer is needed: use a newer system or image, or see"
                                + " whether LD_LIBRARY_PATH leads to an older libstdc++.so.6.");
        rule(
                "(ggml|llama)[^/\\s]*: failed to map segment from shared object",
                match -> "The system allows no code to be loaded from that folder (mounted noexec, or by its security"
                        + " policy): use one elsewhere, which -Dpanallama.cache.dir=DIR names for what is unpacked, and"
                        + " -Dpanallama.native.dir=DIR for libraries of your own.");
        rule(
                "Can't find dependent libraries",
                match ->
                        "The Visual C++ runtime is what is usually missing: install the redistributable of Visual Studio"
                                + " 2015-2022.");
        rule(
                "([^\\s/:]+\\.so[0-9.]*): cannot open shared object file",
                match -> "Install the package that holds " + match.group(1)
                        + ", or put the folder that holds it into LD_LIBRARY_PATH.");
    }

    private LoaderAdvice() {}

    private static void rule(String pattern, Function<MatchResult, String> advice) {
        RULES.put(Pattern.compile(pattern), advice);
    }

    /** The message, and after the separator a sentence by the first rule that fits; the message alone where none does. */
    static String withAdvice(String message, String separator) {
        for (Map.Entry<Pattern, Function<MatchResult, String>> rule : RULES.entrySet()) {
            Matcher matcher = rule.getKey().matcher(message);
            if (matcher.find()) {
                return message + separator + rule.getValue().apply(matcher.toMatchResult());
            }
        }
        return message;
    }
}
