package org.panallama.jna;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.internal.ChildJvm;
import org.panallama.internal.MemoryMount;

/** Both bindings on the class path of JVMs of their own, and what JNA needs beside itself. */
@Tag("native")
@SuppressWarnings("try") // mounted while the try statement runs
class SelectionTest {

    private static final boolean HAS_FFM = Runtime.version().feature() >= 22;

    @TempDir
    Path folder;

    @Test
    void takesTheBestThatTheJdkHas() throws Exception {
        // Blank is not set.
        assertThat(jvm().with("-Dpanallama.binding=").run().out())
                .isEqualTo("usable through " + (HAS_FFM ? "ffm" : "jna"));
    }

    @Test
    void takesTheOneThatIsNamed() throws Exception {
        assertThat(jvm().run().out()).isEqualTo("usable through jna");
        String ffm = jvm().with("-Dpanallama.binding=ffm").run().out();
        if (HAS_FFM) {
            assertThat(ffm).isEqualTo("usable through ffm");
        } else {
            assertThat(ffm)
                    .startsWith("-Dpanallama.binding=ffm: this binding cannot be used in this Java "
                            + Runtime.version().feature()
                            + " JVM: it needs JDK 22 or newer. Without that setting, jna");
        }
    }

    @Test
    void saysThatJnaIsMissing() throws Exception {
        assertThat(jvm().without("jna-").run().out())
                .startsWith("-Dpanallama.binding=jna: this binding cannot be used")
                .contains("JNA 5 is not on the class path: add the dependency net.java.dev.jna:jna");
        ChildJvm alone = jvm().without("jna-").without("panallama-ffm").with("-Dpanallama.binding=");
        assertThat(alone.run().out())
                .contains(
                        "No binding to llama.cpp can be used",
                        HAS_FFM ? "ffm: panallama-ffm is not on the class path" : "ffm: it needs JDK 22 or newer",
                        "jna: JNA 5 is not on the class path",
                        "Add the dependency org.panallama:panallama");
    }

    @Test
    void saysWhereJnaUnpacksItselfIfThatAllowsNoExecution() throws Exception {
        try (MemoryMount noexec = MemoryMount.on(folder, "noexec")) {
            assertThat(jvm().with("-Djna.tmpdir=" + folder).run().out())
                    .contains("JNA's own native library does not load", "mounted noexec", "-Djna.tmpdir=DIR")
                    .doesNotContain("libstdc++", "panallama.cache.dir");
        }
    }

    private static ChildJvm jvm() {
        return new ChildJvm().with("--enable-native-access=ALL-UNNAMED", "-Dpanallama.binding=jna");
    }
}
