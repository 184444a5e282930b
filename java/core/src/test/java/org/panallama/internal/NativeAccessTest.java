package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** A JVM that forbids native code. Older ones cannot. */
@Tag("native")
@EnabledForJreRange(min = JRE.JAVA_24)
class NativeAccessTest {

    private static final String DENY = "--illegal-native-access=deny";

    @Test
    void saysHowToAllowIt() throws Exception {
        assertThat(new ChildJvm().with(DENY).run().out())
                .contains("this JVM forbids native access", "--enable-native-access=ALL-UNNAMED")
                .doesNotContain("libstdc++", "glibc");
    }

    @Test
    void startsWhereItIsAllowedToThisClassPath() throws Exception {
        assertThat(new ChildJvm()
                        .with(DENY, "--enable-native-access=ALL-UNNAMED")
                        .run()
                        .out())
                .startsWith("usable through ");
    }
}
