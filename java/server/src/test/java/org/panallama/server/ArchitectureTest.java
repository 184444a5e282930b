package org.panallama.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What the server may know. */
@AnalyzeClasses(packages = "org.panallama.server", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule THE_SERVER_STANDS_ON_CORE_AND_ENGINE = classes()
            .that()
            .resideInAPackage("org.panallama.server..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "org.panallama.server..",
                    "org.panallama.engine",
                    "org.panallama.gguf",
                    "org.panallama",
                    "org.panallama.internal",
                    "java..",
                    "org.jspecify.annotations..",
                    "org.slf4j..",
                    "com.google.gson..",
                    "io.micrometer..",
                    "org.eclipse.jetty..");
}
