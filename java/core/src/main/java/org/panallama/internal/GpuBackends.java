package org.panallama.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The backends for GPUs among llama.cpp's libraries. llama.cpp passes over those that do not load, without a word. */
final class GpuBackends {

    private static final Pattern NAME = Pattern.compile("(lib)?ggml-(cuda|vulkan|metal)\\.(so|dylib|dll)");

    private GpuBackends() {}

    /**
     * Why the backends in a folder, and in the folders of it, give no device, one sentence each. Called where none does.
     *
     * @return empty where there are no such backends
     */
    static List<String> problems(Path folder) {
        try (Stream<Path> files = Files.walk(folder, 2)) {
            return files.filter(
                            file -> NAME.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .map(GpuBackends::problem)
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static String problem(Path library) {
        try {
            System.load(library.toAbsolutePath().toString());
        } catch (UnsatisfiedLinkError e) {
            String message = String.valueOf(e.getMessage());
            // In several class loaders it loads once; it has then loaded for llama.cpp too.
            if (!message.contains("another classloader")) {
                boolean named = message.startsWith(library.toAbsolutePath().toString());
                return LoaderAdvice.withAdvice(named ? message : library + ": " + message, ". ");
            }
        } catch (IllegalCallerException e) {
            // This JVM forbids native access to all but the binding.
        }
        return library + ": no device; a GPU, or its driver, is what is usually missing";
    }
}
