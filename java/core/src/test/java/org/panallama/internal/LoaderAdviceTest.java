package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The words are those of glibc, musl and the JVM on Windows. {@link StartFailureTest} has glibc itself say some. */
class LoaderAdviceTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "libstdc++.so.6: cannot open shared object file: No such file or directory | apt-get install libstdc++6",
                "Error loading shared library libstdc++.so.6: No such file or directory | C++ runtime is missing",
                "libgomp.so.1: cannot open shared object file: No such file or directory | libgomp1",
                "libvulkan.so.1: cannot open shared object file: No such file or directory | apt-get install libvulkan1",
                "libcuda.so.1: cannot open shared object file: No such file or directory | NVIDIA's driver is missing",
                "libcublas.so.13: cannot open shared object file: No such file or directory | libcublas of CUDA 13",
                "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /x/libllama.so) | glibc 2.34 or newer",
                "/usr/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by /x/libggml.so) | that of GCC 12",
                "/x/libllama.so: failed to map segment from shared object | -Dpanallama.cache.dir=DIR",
                "C:\\x\\llama.dll: Can't find dependent libraries | Visual C++",
                "libsomething.so.3: cannot open shared object file: No such file or directory | that holds libsomething.so.3,",
            })
    void namesTheWayOut(String message, String advice) {
        assertThat(LoaderAdvice.withAdvice(message, "\n"))
                .startsWith(message + "\n")
                .contains(advice)
                .endsWith(".");
    }

    @Test
    void saysNothingWhereItKnowsNothing() {
        String message = "this JVM forbids native access: start it with --enable-native-access=ALL-UNNAMED";
        assertThat(LoaderAdvice.withAdvice(message, "\n")).isEqualTo(message);
    }
}
