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
                .contains(os, arch, "linux-x86_64", "osx-aarch_64", "windows-x86_64");
    }
}
