package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines and class paths on which llama.cpp cannot start, each made for real: a message with the way out. */
@Tag("native")
@SuppressWarnings("try") // mounted while the try statement runs
class StartFailureTest {

    private static final NativeRuntime HERE = NativeRuntime.get();
    private static final String CPP_RUNTIME = "libstdc++.so.6";

    @TempDir
    Path folder;

    @Test
    void startsWhereNothingIsWrong() throws Exception {
        assertThat(allowed().run().out()).isEqualTo("usable through " + HERE.bindingName());
    }

    @Test
    void nativesOfAnotherPlatformAlone() throws Exception {
        Path mac = new FakeNatives("v1.2.3", "osx-aarch_64").writeJar(folder.resolve("mac.jar"));
        assertThat(said(allowed().without("panallama-natives").with(mac)))
                .contains(
                        "libraries for linux-x86_64 were not found",
                        "osx-aarch_64 in " + mac + ", which is for another platform",
                        "org.panallama:panallama-natives with the classifier linux-x86_64");
    }

    @Test
    void nativesOfTwoReleases() throws Exception {
        Path other = new FakeNatives("v1.2.3").writeJar(folder.resolve("old.jar"));
        assertThat(said(allowed().with(other)))
                .contains(
                        "Different natives for linux-x86_64 are on the class path",
                        "(llama.cpp " + HERE.libraries().llamaVersion() + ")",
                        "in " + other + " (llama.cpp v1.2.3)",
                        "Leave those of the version of panallama-core");
    }

    @Test
    void noNativesAtAll() throws Exception {
        assertThat(said(allowed().without("panallama-natives")))
                .contains("class path: no META-INF", "Add the dependency org.panallama:panallama");
    }

    @Test
    void noCppRuntime() throws Exception {
        Path base = copyOfNatives("libggml-base.so");
        rename(base, CPP_RUNTIME, "libstdc++.so.0");
        assertThat(said(nativesIn(folder)))
                .contains("libstdc++.so.0: cannot open shared object file", "apt-get install libstdc++6");
    }

    /** llama.cpp passes over a backend that does not load, and the CPU serves. */
    @Test
    void noVulkanLoader() throws Exception {
        Path base = copyOfNatives("libggml-base.so");
        Path vulkan = Files.copy(base, folder.resolve("libggml-vulkan.so"));
        rename(vulkan, CPP_RUNTIME, "libvulkan.so.0");
        ChildJvm.Said said = nativesIn(folder).run();
        assertThat(said.out()).isEqualTo("usable through " + HERE.bindingName());
        assertThat(said.err())
                .contains(
                        "No GPU is used, the CPU computes everything",
                        "libvulkan.so.0: cannot open shared object file",
                        "apt-get install libvulkan1");
    }

    /** The system's loader would die of it, and the JVM with that. */
    @Test
    void cutLibrary() throws Exception {
        for (String name : List.of("libllama." + HERE.libraries().llamaVersion() + ".so", "libggml-cpu-x64.so")) {
            Path library = copyOfNatives(name);
            long whole = Files.size(library);
            try (RandomAccessFile file = new RandomAccessFile(library.toFile(), "rw")) {
                file.setLength(whole / 2);
            }
            assertThat(said(nativesIn(folder))).contains(library + " is cut", "it has " + whole / 2, "build it again");
            deleteNatives();
        }
    }

    @Test
    void thirtyTwoBits() throws Exception {
        assertThat(said(allowed().with("-Dos.arch=i386", "-Dsun.arch.data.model=32")))
                .contains("This is a 32-bit JVM (os.arch i386, 32 bit)", "Install a 64-bit JDK");
    }

    @Test
    void noFolderThatAllowsExecution() throws Exception {
        try (MemoryMount noexec = MemoryMount.on(folder, "noexec")) {
            assertThat(said(allowed().with("-Dpanallama.cache.dir=" + folder, "-Djava.io.tmpdir=" + folder)))
                    .contains(
                            "can be unpacked nowhere",
                            folder + " cannot be used: it is on a filesystem mounted noexec",
                            "-Dpanallama.cache.dir=DIR");
        }
    }

    /** What is not seen from the mount's options, a security policy for example, the system's loader says. */
    @Test
    void aFolderOfTheUserThatAllowsNoExecution() throws Exception {
        try (MemoryMount noexec = MemoryMount.on(folder, "noexec")) {
            copyOfNatives("libggml-base.so");
            assertThat(said(nativesIn(folder)))
                    .contains(
                            "libggml-base.so: failed to map segment from shared object",
                            "mounted noexec",
                            "native.dir");
        }
    }

    @Test
    void aBindingThatDoesNotExist() throws Exception {
        assertThat(said(allowed().with("-Dpanallama.binding=jni")))
                .contains("-Dpanallama.binding=jni: there is no such binding. Name ffm");
    }

    /** Newer JDKs warn otherwise. */
    private static ChildJvm allowed() {
        return new ChildJvm().with("--enable-native-access=ALL-UNNAMED");
    }

    private static ChildJvm nativesIn(Path folder) {
        return allowed().with("-Dpanallama.native.dir=" + folder);
    }

    private static String said(ChildJvm jvm) throws IOException, InterruptedException {
        ChildJvm.Said said = jvm.run();
        assertThat(said.out()).as(said.err()).doesNotStartWith("usable");
        return said.out();
    }

    /** This JVM's natives in the folder, by links save the named one, which is returned. */
    private Path copyOfNatives(String copied) throws IOException {
        try (Stream<Path> libraries = Files.list(HERE.libraries().directory())) {
            for (Path library : libraries.toList()) {
                Path here = folder.resolve(library.getFileName().toString());
                if (here.endsWith(copied)) {
                    Files.copy(library, here);
                } else {
                    Files.createSymbolicLink(here, library);
                }
            }
        }
        return folder.resolve(copied);
    }

    @AfterEach
    void deleteNatives() throws IOException {
        try (Stream<Path> libraries = Files.list(folder)) {
            for (Path library : libraries.toList()) {
                Files.delete(library);
            }
        }
    }

    /** Has a library ask for another one than it was linked to: of the same length, the name is replaced where it stands. */
    private static void rename(Path library, String needed, String other) throws IOException {
        assertThat(other).hasSameSizeAs(needed);
        String bytes = new String(Files.readAllBytes(library), StandardCharsets.ISO_8859_1);
        assertThat(bytes).contains(needed + "\0");
        Files.write(library, bytes.replace(needed + "\0", other + "\0").getBytes(StandardCharsets.ISO_8859_1));
    }
}
