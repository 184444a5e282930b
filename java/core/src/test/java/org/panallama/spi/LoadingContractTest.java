package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.internal.NativeLocator;
import org.panallama.internal.NativeRuntime;

/** Every test has the binding's classes for itself, since they load llama.cpp once. */
@Tag("native")
class LoadingContractTest {

    private static final NativeLibraries LIBRARIES = NativeLocator.locate();

    @TempDir
    Path directory;

    @Test
    void opensOncePerClassLoader() throws Exception {
        Binding first = freshProvider().open(LIBRARIES);
        Binding second = freshProvider().open(LIBRARIES);
        assertThat(first.getClass()).isNotSameAs(second.getClass());
        assertThat(first.version()).isNotBlank().isEqualTo(second.version());
    }

    @Test
    void opensTheSameLibrariesAgain() throws Exception {
        BindingProvider provider = freshProvider();
        assertThat(provider.unavailabilityCause()).isNull();
        assertThat(provider.open(LIBRARIES).version())
                .isEqualTo(provider.open(LIBRARIES).version());
    }

    @Test
    void refusesOtherLibrariesOnceLoaded() throws Exception {
        BindingProvider provider = freshProvider();
        provider.open(LIBRARIES);
        assertThatThrownBy(() -> provider.open(libraries(LIBRARIES.loadOrder())))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(LIBRARIES.directory().toString())
                .hasMessageContaining(directory.toString());
    }

    @Test
    void tellsWhichFileIsNoLibrary() throws Exception {
        Path file = Files.writeString(directory.resolve("libllama.so"), "not a library\n".repeat(1000));
        assertThatThrownBy(() -> freshProvider().open(libraries(List.of(file))))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void tellsWhatALibraryLacks() throws Exception {
        List<Path> withoutLlama =
                LIBRARIES.loadOrder().subList(0, LIBRARIES.loadOrder().size() - 1);
        assertThatThrownBy(() -> freshProvider().open(libraries(withoutLlama)))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessageContaining("lacks")
                .hasMessageContaining("llama_")
                .hasMessageContaining("a test");
    }

    /** The log has one function for the process, which is called after the application is gone that set it. */
    @Test
    void logsWhenTheClassesThatSetTheLogAreDropped() throws Exception {
        Queue<String> lines = new ConcurrentLinkedQueue<>();
        Binding binding = freshProvider().open(LIBRARIES);
        freshProvider().open(LIBRARIES).setLog((level, text) -> lines.add(text));
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(20);
        }
        try {
            String missing = directory.resolve("missing.gguf").toString();
            assertThat(binding.modelLoad(new String[] {missing}, BindingUnderTest.modelParams(), null))
                    .isZero();
            assertThat(lines).isNotEmpty();
        } finally {
            binding.setLog(NativeRuntime.get().log());
        }
    }

    private NativeLibraries libraries(List<Path> loadOrder) {
        return new NativeLibraries(directory, loadOrder, "unknown", "a test");
    }

    /** The provider from a class loader that shares all classes with this one but the binding's own. */
    private static BindingProvider freshProvider() throws ReflectiveOperationException {
        Class<?> provider = ServiceLoader.load(BindingProvider.class)
                .findFirst()
                .orElseThrow()
                .getClass();
        URL classes = provider.getProtectionDomain().getCodeSource().getLocation();
        ClassLoader shared = new ClassLoader(LoadingContractTest.class.getClassLoader()) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                if (name.startsWith(provider.getPackageName() + ".")) {
                    throw new ClassNotFoundException(name);
                }
                return super.loadClass(name, resolve);
            }
        };
        ClassLoader own = new URLClassLoader(new URL[] {classes}, shared);
        return (BindingProvider)
                own.loadClass(provider.getName()).getConstructor().newInstance();
    }
}
