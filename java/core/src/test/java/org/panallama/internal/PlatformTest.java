package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {

    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, linux-x86_64, lib, .so",
        "Linux, aarch64, linux-aarch_64, lib, .so",
        "Mac OS X, aarch64, osx-aarch_64, lib, .dylib",
        "Mac OS X, x86_64, osx-x86_64, lib, .dylib",
        "Windows 11, amd64, windows-x86_64, '', .dll",
        "Windows Server 2025, aarch64, windows-aarch_64, '', .dll",
    })
    void namesSupportedPlatforms(String os, String arch, String name, String prefix, String suffix) {
        assertThat(Platform.of(os, arch, "64", false)).isEqualTo(new Platform(name, prefix, suffix, ""));
    }

    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, linux-x86_64-cuda linux-x86_64-vulkan linux-x86_64",
        "Linux, aarch64, linux-aarch_64",
        "Mac OS X, aarch64, osx-aarch_64",
        "Windows 11, amd64, windows-x86_64-cuda windows-x86_64-vulkan windows-x86_64",
    })
    void namesTheirNatives(String os, String arch, String classifiers) {
        assertThat(Platform.of(os, arch, "64", false).classifiers()).containsExactly(classifiers.split(" "));
    }

    @Test
    void knowsLibrariesByTheirNames() {
        Platform mac = Platform.of("Mac OS X", "aarch64", "64", false);
        assertThat(mac.isLibrary("libllama.dylib")).isTrue();
        assertThat(mac.isLibrary("libggml-cpu-apple_m1.so")).isTrue();
        assertThat(Platform.of("Windows 11", "amd64", "64", false).isLibrary("ggml-cpu.so"))
                .isFalse();
    }

    @Test
    void isSupportedHere() {
        assertThat(Platform.current().unsupported()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"Linux, i386, 32", "Windows 10, x86, 32", "Linux, arm, 32", "Linux, amd64, 32"})
    void refusesA32BitJvm(String os, String arch, String model) {
        assertThatThrownBy(() -> Platform.of(os, arch, model, false))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageContaining("32-bit JVM")
                .hasMessageContaining("os.arch " + arch)
                .hasMessageContaining("64-bit JDK");
    }

    @Test
    void saysWhatToDoOnMusl() {
        assertThat(Platform.of("Linux", "amd64", "64", true).unsupported()).contains("musl", "glibc 2.34");
    }

    @ParameterizedTest
    @CsvSource({"FreeBSD, amd64", "Linux, riscv64", "SunOS, sparcv9"})
    void saysWhatIsSupportedElsewhere(String os, String arch) {
        assertThat(Platform.of(os, arch, "64", false).unsupported())
                .contains(os, arch, "linux-x86_64", "osx-aarch_64", "windows-x86_64")
                .doesNotContain("cuda");
    }
}
