package org.panallama.starter;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Arrays;

/** Which part may know which. It lives here since core and a binding meet in no module below. */
@AnalyzeClasses(packages = "org.panallama", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String[] CORE = {
        "org.panallama", "org.panallama.fit", "org.panallama.spi", "org.panallama.internal.."
    };
    private static final String[] JDK_AND_LOG = {
        "java..", "com.sun.management", "org.jspecify.annotations..", "org.slf4j.."
    };

    @ArchTest
    static final ArchRule CORE_NEEDS_SLF4J_ALONE = classes()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(concat(CORE, JDK_AND_LOG));

    @ArchTest
    static final ArchRule BINDINGS_KNOW_THE_SPI_ALONE = classes()
            .that()
            .resideInAPackage("org.panallama.ffm..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(concat(new String[] {"org.panallama.ffm..", "org.panallama.spi"}, JDK_AND_LOG));

    @ArchTest
    static final ArchRule THE_JNA_BINDING_KNOWS_JNA_TOO = classes()
            .that()
            .resideInAPackage("org.panallama.jna..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    concat(new String[] {"org.panallama.jna..", "org.panallama.spi", "com.sun.jna.."}, JDK_AND_LOG));

    @ArchTest
    static final ArchRule THE_SPI_STANDS_ALONE = classes()
            .that()
            .resideInAPackage("org.panallama.spi")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(concat(new String[] {"org.panallama.spi"}, JDK_AND_LOG));

    /** A binding on JDK 17 implements the same interfaces, so they speak no binding's own types. */
    @ArchTest
    static final ArchRule CORE_SPEAKS_NO_BINDINGS_TYPES = noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.lang.foreign..", "com.sun.jna..");

    @ArchTest
    static final ArchRule JEXTRACT_OUTPUT_STAYS_IN_ITS_BINDING = noClasses()
            .that()
            .resideOutsideOfPackage("org.panallama.ffm..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.panallama.ffm.generated..");

    private static String[] concat(String[] some, String[] more) {
        String[] all = Arrays.copyOf(some, some.length + more.length);
        System.arraycopy(more, 0, all, some.length, more.length);
        return all;
    }
}
