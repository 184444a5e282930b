package org.panallama.cli;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Locale;
import java.util.Set;

/**
 * Nothing is written for the user's locale: in an Arabic one, {@code %05d} names a file that nobody else finds, in a Turkish
 * one a title is no TITLE. It lives here since the program has all modules on its class path.
 */
@AnalyzeClasses(
        packages = "org.panallama",
        importOptions = {DoNotIncludeTests.class, LocaleTest.DoNotIncludeTestJars.class})
class LocaleTest {

    private static final Set<String> BY_LOCALE = Set.of("format", "formatted", "printf", "toLowerCase", "toUpperCase");

    /** That of core is on the class path. */
    static final class DoNotIncludeTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    @ArchTest
    static final ArchRule NO_CALL_TAKES_THE_DEFAULT_LOCALE = noClasses()
            .that()
            .resideOutsideOfPackage("org.panallama.ffm.generated..")
            .should()
            .callCodeUnitWhere(describe("takes the default locale", LocaleTest::takesTheDefaultLocale));

    private static boolean takesTheDefaultLocale(JavaCall<?> call) {
        return call.getTargetOwner().getPackageName().startsWith("java.")
                && !call.getTargetOwner().isEquivalentTo(Character.class)
                && BY_LOCALE.contains(call.getName())
                && call.getTarget().getRawParameterTypes().stream()
                        .noneMatch(type -> type.isEquivalentTo(Locale.class));
    }
}
