package org.panallama.starter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** What a repository and its users ask of the POMs. */
class PublishedArtifactsTest {

    private static final File ROOT = Path.of("..", "..").toFile();

    private final XPath xpath = XPathFactory.newInstance().newXPath();

    @Test
    void theBomHasEveryArtifact() throws Exception {
        List<String> artifacts = new ArrayList<>();
        for (String module : modules()) {
            Document pom = pom(module);
            if (!text(pom, "/project/packaging").equals("pom")) {
                artifacts.add(text(pom, "/project/artifactId"));
            }
        }
        assertThat(texts(pom("java/bom"), "//dependencyManagement//dependency[not(classifier)]/artifactId"))
                .containsExactlyInAnyOrderElementsOf(artifacts);
    }

    @Test
    void theBomHasTheNativesOfEveryPlatform() throws Exception {
        assertThat(texts(pom("java/bom"), "//dependency[artifactId='panallama-natives']/classifier"))
                .containsExactlyInAnyOrderElementsOf(platforms());
    }

    @Test
    void theOneDependencyBringsTheNativesOfEveryCpu() throws Exception {
        List<String> brought = texts(pom("java/starter"), "/project/dependencies//classifier");
        assertThat(brought).containsExactly("${panallama.platform}");
        assertThat(Stream.concat(
                        Stream.of("linux-x86_64"),
                        texts(pom("java/starter"), "//profile[id='all-natives']//classifier").stream()))
                .containsExactlyInAnyOrderElementsOf(platforms().stream()
                        .filter(platform -> platform.indexOf('-') == platform.lastIndexOf('-'))
                        .toList());
    }

    /** Maven Central takes nothing without. */
    @Test
    void everyArtifactSaysWhatItIs() throws Exception {
        for (String module : modules()) {
            Document pom = pom(module);
            assertThat(text(pom, "/project/name")).as(module).startsWith("Panallama");
            assertThat(text(pom, "/project/description"))
                    .as(module)
                    .isNotEmpty()
                    .doesNotEndWith(".");
            assertThat(text(pom, "/project/parent/artifactId")).as(module).isEqualTo("panallama-parent");
        }
    }

    /** Examples and benchmarks stay here, and what they use is none of a user's business. */
    @Test
    void theRestIsNotPublished() throws Exception {
        List<String> rest = new ArrayList<>(texts(pom("."), "/project/modules/module"));
        rest.removeAll(modules());
        assertThat(rest).isNotEmpty();
        for (String module : rest) {
            assertThat(text(pom(module), "/project/properties/maven.deploy.skip"))
                    .as(module)
                    .isEqualTo("true");
        }
    }

    /** As this build made it of the one that is edited. */
    @Test
    void aPublishedPomStandsAlone() throws Exception {
        Document pom = parse(new File(ROOT, "java/core/target/.flattened-pom.xml"));
        for (String element : List.of(
                "groupId",
                "version",
                "url",
                "licenses/license/name",
                "licenses/license/url",
                "developers/developer/name",
                "scm/connection",
                "scm/developerConnection",
                "scm/url")) {
            assertThat(text(pom, "/project/" + element))
                    .as(element)
                    .isNotEmpty()
                    .doesNotContain("$");
        }
        assertThat(texts(pom, "/project/parent | /project/profiles | /project/build | /project/properties"))
                .isEmpty();
        assertThat(text(pom, "/project/scm/url")).isEqualTo("https://github.com/panallama/panallama");
        assertThat(texts(pom, "/project/dependencies/dependency/artifactId")).containsExactly("slf4j-api", "jspecify");
    }

    private List<String> modules() throws Exception {
        return texts(pom("."), "/project/modules/module").stream()
                .filter(module -> module.startsWith("java/") || module.startsWith("bindings/"))
                .toList();
    }

    private List<String> platforms() throws Exception {
        String classifiers = text(pom("bindings/natives"), "//profile[id='all-natives']//natives.classifiers");
        return List.of(classifiers.split("\\s+"));
    }

    private Document pom(String module) throws Exception {
        return parse(new File(new File(ROOT, module), "pom.xml"));
    }

    private static Document parse(File pom) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom);
    }

    private String text(Document pom, String path) throws Exception {
        return xpath.evaluate(path, pom).strip();
    }

    private List<String> texts(Document pom, String path) throws Exception {
        NodeList nodes = (NodeList) xpath.evaluate(path, pom, XPathConstants.NODESET);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            texts.add(nodes.item(i).getTextContent().strip());
        }
        return texts;
    }
}
