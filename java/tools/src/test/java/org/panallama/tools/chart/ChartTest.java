package org.panallama.tools.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.tools.chart.Chart.Point;
import org.w3c.dom.Document;

class ChartTest {

    @TempDir
    Path folder;

    private static Chart curves() {
        return Chart.builder("Q4_0", "context length (tokens)", "perplexity")
                .curve("诗.txt", List.of(new Point(4096, 5.2, 0.1, ""), new Point(131072, 4.9, 0.2, "")))
                .curve("b.txt", List.of(new Point(4096, 3.2, 0.05, ""), new Point(65536, 2.9, 0.05, "")))
                .build();
    }

    @Test
    void pngShowsSomething() throws Exception {
        Path file = folder.resolve("curves.png");
        curves().write(file);
        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image.getWidth()).isGreaterThan(500);
        assertThat(colours(image)).isGreaterThan(10);
    }

    private static long colours(BufferedImage image) {
        int width = image.getWidth();
        return Arrays.stream(image.getRGB(0, 0, width, image.getHeight(), null, 0, width))
                .distinct()
                .count();
    }

    @Test
    void svgShowsTheSame() throws Exception {
        Path file = folder.resolve("curves.SVG");
        curves().write(file);
        DocumentBuilderFactory parsers = DocumentBuilderFactory.newInstance();
        parsers.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        Document document = parsers.newDocumentBuilder().parse(file.toFile());
        assertThat(document.getDocumentElement().getNodeName()).isEqualTo("svg");
        // Text is drawn as outlines, so that every viewer shows the same.
        assertThat(document.getElementsByTagName("path").getLength()).isGreaterThan(20);
        assertThat(folder).isDirectoryNotContaining(other -> !other.equals(file));
    }

    @Test
    void namesAndNumbersAreChecked() {
        assertThatThrownBy(() -> curves().write(folder.resolve("curves.gif")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must be named .png or .svg");
        assertThatThrownBy(() -> curves().write(folder.resolve("none/curves.png")))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("curves.png");
        assertThatThrownBy(() -> new Point(1, Double.NaN, 0, "")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Chart.builder("", "", "").build()).isInstanceOf(IllegalArgumentException.class);
    }
}
