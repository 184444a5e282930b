package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.panallama.spi.Binding;
import org.panallama.spi.BindingProvider;
import org.panallama.spi.NativeLibraries;

class BindingChoiceTest {

    private static final BindingProvider FFM = new Provider("ffm", 100, null);
    private static final BindingProvider JNA = new Provider("jna", 50, null);

    private record Provider(
            String name, int priority, @Nullable String unavailabilityCause) implements BindingProvider {

        @Override
        public Binding open(NativeLibraries libraries) {
            throw new UnsatisfiedLinkError();
        }
    }

    @Test
    void prefersTheOneOfTheHigherPriority() {
        assertThat(choose(25, null, JNA, FFM)).containsExactly(FFM, JNA);
        assertThat(choose(25, "jna", JNA, FFM)).containsExactly(JNA);
        assertThat(choose(17, null, new Provider("ffm", 100, "no linker"), JNA)).containsExactly(JNA);
    }

    @Test
    void saysWhatIsMissingOfEach() {
        assertThatThrownBy(() -> choose(17, null))
                .isInstanceOf(NativeLookupException.class)
                .hasMessage("No binding to llama.cpp can be used in this Java 17 JVM:"
                        + "\n  ffm: it needs JDK 22 or newer"
                        + "\n  jna: panallama-jna is not on the class path"
                        + "\nAdd the dependency org.panallama:panallama, which brings all that they need.");
        assertThatThrownBy(() -> choose(25, null, new Provider("jna", 50, "JNA 5 is not on the class path")))
                .hasMessageContaining("\n  ffm: panallama-ffm is not on the class path")
                .hasMessageContaining("\n  jna: JNA 5 is not on the class path");
    }

    @Test
    void namesTheBindingsWhereTheUsersIsUnknown() {
        assertThatThrownBy(() -> choose(25, "jni", FFM, JNA))
                .isInstanceOf(NativeLookupException.class)
                .hasMessage("-Dpanallama.binding=jni: there is no such binding. Name ffm (needs JDK 22 or newer) or jna"
                        + " (JDK 17 or newer), or neither to have the one taken that serves this JVM best.");
    }

    @Test
    void saysWhyTheUsersCannotBeUsed() {
        assertThatThrownBy(() -> choose(17, "ffm", JNA))
                .isInstanceOf(NativeLookupException.class)
                .hasMessage(
                        "-Dpanallama.binding=ffm: this binding cannot be used in this Java 17 JVM: it needs JDK 22 or"
                                + " newer. Without that setting, jna is taken, which can.");
        assertThatThrownBy(() -> choose(17, "ffm")).hasMessageEndingWith("it needs JDK 22 or newer.");
        assertThatThrownBy(() -> choose(25, "jna", FFM))
                .hasMessageContaining("Java 25 JVM: panallama-jna is not on the class path. Without that setting, ffm");
    }

    @Test
    void passesOverClassesThatDoNotLoad() {
        Iterable<BindingProvider> newerThenJna = () -> new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                if (next == 0) {
                    next++;
                    throw new UnsupportedClassVersionError("compiled by a more recent version");
                }
                return next == 1;
            }

            @Override
            public BindingProvider next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                next++;
                return JNA;
            }
        };
        assertThat(new BindingChoice(newerThenJna, 17).choose(null)).containsExactly(JNA);
        assertThatThrownBy(() -> new BindingChoice(newerThenJna, 24).choose(wanted("ffm")))
                .hasMessageContaining("not on the class path, or does not load (compiled by a more recent version)");
    }

    private static List<BindingProvider> choose(int java, @Nullable String wanted, BindingProvider... providers) {
        return new BindingChoice(List.of(providers), java).choose(wanted(wanted));
    }

    private static Setting.@Nullable Value wanted(@Nullable String name) {
        return BindingChoice.BINDING.in(
                property -> property.equals("panallama.binding") ? name : null, variable -> null);
    }
}
