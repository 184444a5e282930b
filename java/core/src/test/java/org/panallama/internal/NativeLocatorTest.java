package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.spi.NativeLibraries;

@SuppressWarnings("try") // mounted while the try statement runs
class NativeLocatorTest {

    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> environment = new HashMap<>();
    private final List<URLClassLoader> opened = new ArrayList<>();
    private Path mounts = MountTable.OF_THIS_PROCESS;

    @TempDir
    Path scratch;

    private Path cache;
    private Path temporary;

    @BeforeEach
    void setFolders() throws IOException {
        cache = scratch.resolve("cache");
        temporary = Files.createDirectory(scratch.resolve("tmp"));
        properties.putAll(Map.of(
                "os.name",
                "Linux",
                "user.home",
                scratch.toString(),
                "user.name",
                "li",
                "java.io.tmpdir",
                temporary.toString()));
        properties.put("panallama.cache.dir", cache.toString());
    }

    @AfterEach
    void close() throws IOException {
        for (URLClassLoader loader : opened) {
            loader.close();
        }
    }

    @Test
    void saysEveryPlaceTriedWhenThereAreNone() {
        assertThatThrownBy(() -> find())
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("linux-x86_64 were not found")
                .hasMessageContaining("-Dpanallama.native.dir: not set")
                .hasMessageContaining("PANALLAMA_NATIVE_DIR: not set")
                .hasMessageContaining("class path: no META-INF/panallama/natives/linux-x86_64.properties")
                .hasMessageContaining("org.panallama:panallama");
    }

    @Test
    void unpacksFromTheClassPathOnce() throws IOException {
        FakeNatives natives = new FakeNatives("v1.2.3");
        Path jar = natives.writeJar(scratch.resolve("natives with blank.jar"));

        NativeLibraries found = find(jar);
        Path folder = cache.resolve("natives").resolve(natives.hash());
        assertThat(found.directory()).isEqualTo(folder);
        assertThat(found.loadOrder())
                .containsExactly(
                        folder.resolve("libggml-base.so"),
                        folder.resolve("libggml.v1.2.3.so"),
                        folder.resolve("libllama.v1.2.3.so"));
        assertThat(found.llamaVersion()).isEqualTo("v1.2.3");
        assertThat(found.source()).isEqualTo(jar.toString());
        assertThat(folder.resolve("libggml-cpu-x64.so")).hasContent("the content of libggml-cpu-x64.so");

        Object written = Files.readAttributes(folder, "fileKey,creationTime");
        assertThat(find(jar)).isEqualTo(found);
        assertThat(Files.readAttributes(folder, "fileKey,creationTime")).isEqualTo(written);
        assertNoPartsLeft();
    }

    @Test
    void unpacksAgainWhatWasCut() throws IOException {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Path library = find(jar).loadOrder().get(2);
        Files.writeString(library, "cut");
        find(jar);
        assertThat(library).hasContent("the content of libllama.v1.2.3.so");
        Files.delete(library);
        find(jar);
        assertThat(library).hasContent("the content of libllama.v1.2.3.so");
        assertNoPartsLeft();
    }

    @Test
    void refusesADamagedJar() throws IOException {
        Path jar = new FakeNatives("v1.2.3").damage("libllama.v1.2.3.so").writeJar(scratch.resolve("damaged.jar"));
        assertThatThrownBy(() -> find(jar))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("libllama.v1.2.3.so in ")
                .hasMessageContaining("damaged.jar is damaged")
                .hasMessageContaining("Fetch panallama-natives again");
        assertNoPartsLeft();
    }

    @Test
    void refusesAJarThatLacksAFile() throws IOException {
        Path jar = new FakeNatives("v1.2.3").leaveOut("libggml-cpu-x64.so").writeJar(scratch.resolve("stripped.jar"));
        assertThatThrownBy(() -> find(jar))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("libggml-cpu-x64.so in ")
                .hasMessageContaining("stripped.jar");
        assertNoPartsLeft();
    }

    @Test
    void refusesAManifestThatLeadsElsewhere() throws IOException {
        Path folder = Files.createDirectories(scratch.resolve("classes/META-INF/panallama/natives"));
        String hash = "0".repeat(64);
        Files.writeString(
                folder.resolve("linux-x86_64.properties"),
                "llama.version=v1\nhash=" + hash + "\nload=libllama.so\nfiles=../../escaped.so:1:" + hash);
        assertThatThrownBy(() -> find(scratch.resolve("classes")))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("manifest of the natives is damaged")
                .hasMessageContaining("../../escaped.so");
    }

    @Test
    void namesBothJarsOfDifferentNatives() throws IOException {
        Path old = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives-old.jar"));
        Path current = new FakeNatives("v1.3.0").writeJar(scratch.resolve("natives-new.jar"));
        assertThatThrownBy(() -> find(old, current))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("natives-old.jar (llama.cpp v1.2.3)")
                .hasMessageContaining("natives-new.jar (llama.cpp v1.3.0)");
    }

    @Test
    void takesTheSameNativesTwice() throws IOException {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Path copy = Files.copy(jar, scratch.resolve("shaded.jar"));
        assertThat(find(jar, copy).llamaVersion()).isEqualTo("v1.2.3");
    }

    @Test
    void prefersTheJarWithAGpuBackend() throws IOException {
        Path cpu = new FakeNatives("v1.2.3").writeJar(scratch.resolve("cpu.jar"));
        Path vulkan = gpu("vulkan").writeJar(scratch.resolve("vulkan.jar"));
        Path cuda = gpu("cuda").add("fallback/libggml-cuda.so").writeJar(scratch.resolve("cuda.jar"));
        assertThat(find(cpu, vulkan).source()).isEqualTo(vulkan.toString());
        NativeLibraries found = find(vulkan, cpu, cuda);
        assertThat(found.source()).isEqualTo(cuda.toString());
        assertThat(found.directory().resolve("fallback/libggml-cuda.so"))
                .hasContent("the content of fallback/libggml-cuda.so");
        assertThat(found.directory().resolve("libggml-vulkan.so")).doesNotExist();
    }

    @Test
    void takesTheJarThatTheUserNames() throws IOException {
        Path cpu = new FakeNatives("v1.2.3").writeJar(scratch.resolve("cpu.jar"));
        Path cuda = gpu("cuda").writeJar(scratch.resolve("cuda.jar"));
        environment.put("PANALLAMA_NATIVE_CLASSIFIER", "linux-x86_64");
        assertThat(find(cuda, cpu).source()).isEqualTo(cpu.toString());

        properties.put("panallama.native.classifier", "linux-x86_64-vulkan");
        assertThatThrownBy(() -> find(cuda, cpu))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("-Dpanallama.native.classifier=linux-x86_64-vulkan asks for natives")
                .hasMessageContaining("there are those for linux-x86_64-cuda, linux-x86_64.")
                .hasMessageContaining("panallama-natives with the classifier linux-x86_64-vulkan");

        properties.put("panallama.native.classifier", "osx-aarch_64");
        assertThatThrownBy(() -> find(cuda, cpu))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("this JVM runs on linux-x86_64")
                .hasMessageContaining("linux-x86_64-cuda, linux-x86_64-vulkan, linux-x86_64.");
    }

    @Test
    void namesBothJarsOfDifferentReleasesAlsoWhereOneIsForAGpu() throws IOException {
        Path cpu = new FakeNatives("v1.3.0").writeJar(scratch.resolve("cpu.jar"));
        Path vulkan = gpu("vulkan").writeJar(scratch.resolve("vulkan.jar"));
        assertThatThrownBy(() -> find(cpu, vulkan))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("Natives of different releases")
                .hasMessageContaining("linux-x86_64-vulkan in " + vulkan + " (llama.cpp v1.2.3)")
                .hasMessageContaining("linux-x86_64 in " + cpu + " (llama.cpp v1.3.0)");
    }

    @Test
    void namesTheRightClassifierWhereAllJarsAreForOtherPlatforms() throws IOException {
        Path mac = new FakeNatives("v1.2.3", "osx-aarch_64").writeJar(scratch.resolve("mac.jar"));
        Path windows = new FakeNatives("v1.2.3", "windows-x86_64-cuda").writeJar(scratch.resolve("windows.jar"));
        assertThatThrownBy(() -> find(mac, windows))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("osx-aarch_64 in " + mac + ", which is for another platform")
                .hasMessageContaining("windows-x86_64-cuda in " + windows)
                .hasMessageContaining("with the classifier linux-x86_64 (with a GPU: linux-x86_64-cuda,");
    }

    @Test
    void fallsBackWhereTheCacheCannotBeWritten() throws IOException {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Files.writeString(cache, "a file in the way");
        assertThat(find(jar).directory()).startsWith(temporary.resolve("panallama-li"));
    }

    @Test
    void fallsBackWhereTheCacheIsReadOnly() throws Exception {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Files.createDirectory(cache);
        // Permissions do not bind root, but a read-only mount does.
        if (MemoryMount.isAllowed()) {
            try (MemoryMount readOnly = MemoryMount.on(cache, "ro")) {
                assertThat(find(jar).directory()).startsWith(temporary);
            }
        } else {
            Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("r-x------"));
            assertThat(find(jar).directory()).startsWith(temporary);
        }
    }

    @Test
    void fallsBackWhereTheCacheIsMountedNoexec() throws IOException {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Files.createDirectory(cache);
        mounts = Files.writeString(
                scratch.resolve("mounts"), "/ / ext4 rw 0 0\ntmpfs " + cache.toRealPath() + " tmpfs rw,noexec 0 0\n");
        assertThat(find(jar).directory()).startsWith(temporary);
    }

    @Test
    void seesARealNoexecMount() throws Exception {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Files.createDirectory(cache);
        try (MemoryMount noexec = MemoryMount.on(cache, "noexec")) {
            assertThat(find(jar).directory()).startsWith(temporary);
        }
    }

    @Test
    void saysWhyEachFolderIsUnusable() throws IOException {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Files.writeString(cache, "a file in the way");
        mounts = Files.writeString(scratch.resolve("mounts"), "/ / ext4 rw,noexec 0 0\n");
        assertThatThrownBy(() -> find(jar))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining(cache + " cannot be used")
                .hasMessageContaining(
                        temporary.resolve("panallama-li") + " cannot be used: it is on a filesystem mounted noexec")
                .hasMessageContaining("-Dpanallama.cache.dir=DIR");
    }

    @Test
    void takesNoTemporaryFolderThatOthersMayWriteTo() throws IOException {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Files.writeString(cache, "a file in the way");
        Path shared = Files.createDirectory(temporary.resolve("panallama-li"));
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> find(jar))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("others may write to it: rwxrwxrwx");
    }

    @Test
    void aFolderOfTheUserComesFirst() throws IOException {
        Path jar = new FakeNatives("v1.2.3").writeJar(scratch.resolve("natives.jar"));
        Path own = Files.createDirectory(scratch.resolve("own"));
        new FakeNatives("v9.9.9").writeFolder(own);
        environment.put("PANALLAMA_NATIVE_DIR", own.toString());
        NativeLibraries found = find(jar);
        assertThat(found.directory()).isEqualTo(own);
        assertThat(found.llamaVersion()).isEqualTo("v9.9.9");
        assertThat(found.source()).isEqualTo("PANALLAMA_NATIVE_DIR=" + own);

        properties.put("panallama.native.dir", scratch.resolve("other").toString());
        assertThatThrownBy(() -> find(jar))
                .hasMessageContaining("-Dpanallama.native.dir=" + scratch.resolve("other") + " is not a folder");
    }

    @Test
    void takesPlainNamesInAFolderOfTheUser() throws IOException {
        for (String name : List.of("libllama.so", "libllama.so.0", "libggml.so", "libggml-base.so", "libggml-cpu.so")) {
            Files.write(scratch.resolve(name), FakeNatives.emptyElf());
        }
        properties.put("panallama.native.dir", scratch.toString());
        NativeLibraries found = find();
        assertThat(found.loadOrder())
                .extracting(path -> path.getFileName().toString())
                .containsExactly("libggml-base.so", "libggml.so", "libllama.so");
        assertThat(found.llamaVersion()).isEqualTo("unknown");
    }

    @Test
    void saysWhatAFolderOfTheUserLacks() throws IOException {
        properties.put("panallama.native.dir", scratch.toString());
        new FakeNatives("v1.2.3").writeFolder(scratch);
        Files.delete(scratch.resolve("libggml-cpu-x64.so"));
        assertThatThrownBy(() -> find()).hasMessageContaining("holds no CPU backend (libggml-cpu*.so)");
        Files.delete(scratch.resolve("libggml-base.so"));
        assertThatThrownBy(() -> find()).hasMessageContaining("holds no libggml-base.so");
        new FakeNatives("v1.2.3").writeFolder(scratch);
        new FakeNatives("v1.3.0").writeFolder(scratch);
        assertThatThrownBy(() -> find())
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("libggml.v1.2.3.so, libggml.v1.3.0.so");
    }

    @Test
    void refusesWhatIsNoLibraryInAFolderOfTheUser() throws IOException {
        properties.put("panallama.native.dir", scratch.toString());
        new FakeNatives("v1.2.3").writeFolder(scratch);
        Path backend = Files.writeString(scratch.resolve("libggml-cpu-x64.so"), "<html>404</html>");
        assertThatThrownBy(() -> find())
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining(backend + " is no library");
    }

    @Test
    void severalJvmsMayUnpackAtTheSameTime() throws Exception {
        FakeNatives natives = new FakeNatives("v1.2.3").enlarge("libggml-cpu-x64.so", 20_000_000);
        Path jar = natives.writeJar(scratch.resolve("natives.jar"));
        List<Process> jvms = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            jvms.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Dpanallama.cache.dir=" + cache,
                            "-cp",
                            System.getProperty("java.class.path"),
                            LocateOnce.class.getName(),
                            jar.toString())
                    .start());
        }
        for (Process jvm : jvms) {
            String out = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String errors = new String(jvm.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(jvm.waitFor()).as(errors).isZero();
            assertThat(out)
                    .isEqualTo(cache.resolve("natives").resolve(natives.hash()).toString());
            assertThat(Path.of(out, "libggml-cpu-x64.so")).hasSize(20_000_000);
        }
        assertNoPartsLeft();
    }

    /** The program of the JVMs that race. */
    static final class LocateOnce {
        public static void main(String[] args) throws IOException {
            try (URLClassLoader loader =
                    new URLClassLoader(new URL[] {Path.of(args[0]).toUri().toURL()}, null)) {
                System.out.print(new NativeLocator(
                                System::getProperty,
                                name -> null,
                                loader,
                                FakeNatives.LINUX,
                                new MountTable(MountTable.OF_THIS_PROCESS))
                        .find()
                        .directory());
            }
        }
    }

    private static FakeNatives gpu(String backend) {
        return new FakeNatives("v1.2.3", "linux-x86_64-" + backend).add("libggml-" + backend + ".so");
    }

    private NativeLibraries find(Path... classPath) throws IOException {
        URL[] urls = new URL[classPath.length];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = classPath[i].toUri().toURL();
        }
        URLClassLoader loader = new URLClassLoader(urls, null);
        opened.add(loader);
        return new NativeLocator(properties::get, environment::get, loader, FakeNatives.LINUX, new MountTable(mounts))
                .find();
    }

    private void assertNoPartsLeft() throws IOException {
        try (Stream<Path> files = Files.list(cache.resolve("natives"))) {
            assertThat(files).noneMatch(file -> file.getFileName().toString().contains(".part"));
        }
    }
}
