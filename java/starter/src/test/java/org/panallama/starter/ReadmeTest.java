package org.panallama.starter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The first screen of the README is the quickstart example, which the build compiles and runs. */
class ReadmeTest {

    private static final Path ROOT = Path.of("..", "..");
    private static final Path QUICKSTART = ROOT.resolve(Path.of("examples", "quickstart"));

    @Test
    void theProgramIsTheExample() throws IOException {
        String source =
                Files.readString(QUICKSTART.resolve(Path.of("src", "main", "java", "example", "Quickstart.java")));
        assertThat(blocks("java")).first().isEqualTo(source);
    }

    @Test
    void theDependencyIsTheOneOfTheExample() throws IOException {
        String pom = Files.readString(QUICKSTART.resolve("pom.xml"));
        assertThat(blocks("xml"))
                .first()
                .satisfies(dependency -> assertThat(squeezed(pom)).contains(squeezed(dependency)));
    }

    private static List<String> blocks(String language) throws IOException {
        Matcher fence = Pattern.compile("^```" + language + "\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(Files.readString(ROOT.resolve("README.md")));
        List<String> blocks = new ArrayList<>();
        while (fence.find()) {
            blocks.add(fence.group(1));
        }
        return blocks;
    }

    private static String squeezed(String xml) {
        return xml.replaceAll("\\s+", "");
    }
}
