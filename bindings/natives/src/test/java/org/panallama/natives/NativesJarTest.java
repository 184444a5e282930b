package org.panallama.natives;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every jar that this build made: this platform's, or all. */
class NativesJarTest {

    private static final String LLAMA = "v0.4.0";

    @TempDir
    Path folder;

    static Stream<String> classifiers() {
        return Stream.of(System.getProperty("panallama.natives.classifiers").split("[\\s,]+"));
    }

    @ParameterizedTest
    @MethodSource("classifiers")
    void holdsWhatItsPlatformNeeds(String classifier) throws IOException {
        Natives natives = Natives.unpack(jar(classifier), classifier, folder);
        assertThat(natives.problems()).isEmpty();
        assertThat(natives.libraries().values())
                .allSatisfy(library -> assertThat(library.needed()).isNotEmpty());
        assertThat(natives.libraries().keySet()).containsAll(expected(classifier));
        assertThat(natives.libraries().keySet()).anyMatch(name -> name.contains("ggml-cpu"));
        assertThat(natives.load())
                .containsExactlyElementsOf(
                        expected(classifier).subList(0, natives.load().size()));
    }

    @ParameterizedTest
    @MethodSource("classifiers")
    void isSeenThroughWhereALibraryIsMissing(String classifier) throws IOException {
        Natives natives = Natives.unpack(jar(classifier), classifier, folder);
        for (String library : natives.load().subList(0, 2)) {
            assertThat(natives.without(library).problems())
                    .isNotEmpty()
                    .allMatch(problem -> problem.endsWith(library + ", which is not in the jar"));
        }
        String other = classifier.startsWith("osx") ? "windows-x86_64" : "osx-x86_64";
        assertThat(new Natives(other, natives.load(), natives.libraries()).problems())
                .hasSizeGreaterThanOrEqualTo(natives.libraries().size());
    }

    @ParameterizedTest
    @MethodSource("classifiers")
    void carriesTheLicences(String classifier) throws IOException {
        try (ZipFile zip = new ZipFile(jar(classifier).toFile())) {
            assertThat(zip.stream().map(ZipEntry::getName))
                    .contains(
                            "META-INF/LICENSE",
                            "META-INF/NOTICE",
                            "META-INF/licenses/LICENSE-llama.cpp",
                            "META-INF/licenses/LICENSE-node-llama-cpp");
        }
    }

    @ParameterizedTest
    @MethodSource("classifiers")
    void isAModuleThatIsFoundByItsService(String classifier) {
        ModuleDescriptor module =
                ModuleFinder.of(jar(classifier)).findAll().iterator().next().descriptor();
        assertThat(module.name()).isEqualTo("org.panallama.natives." + classifier.replace('-', '.'));
        assertThat(module.provides())
                .extracting(ModuleDescriptor.Provides::service)
                .containsExactly("org.panallama.spi.NativesModule");
    }

    private static Path jar(String classifier) {
        return Path.of(System.getProperty("panallama.natives.jars") + "-" + classifier + ".jar");
    }

    /** Those to load come first, in their order. */
    private static List<String> expected(String classifier) {
        TargetSystem system = TargetSystem.of(classifier);
        String[] parts = classifier.split("-");
        String gpu = classifier.equals("osx-aarch_64") ? "metal" : parts.length == 3 ? parts[2] : "";
        String release = (gpu.isEmpty() ? "" : gpu + ".") + LLAMA;
        List<String> names = new ArrayList<>();
        for (String name : List.of("ggml-base", "ggml." + release, "llama." + release, "llama-common")) {
            names.add(system.prefix() + name + system.suffix());
        }
        String ofBackends = system.suffix().replace(".dylib", ".so");
        if (!gpu.isEmpty()) {
            names.add(system.prefix() + "ggml-" + gpu + ofBackends);
        }
        if (gpu.equals("cuda")) {
            names.add("fallback/" + system.prefix() + "ggml-cuda" + ofBackends);
        }
        if (parts[0].equals("linux")) {
            names.addAll(List.of("libggml-cpu-panallama.so", "libpanallama-chat.so"));
        }
        return names;
    }
}
