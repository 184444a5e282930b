package org.panallama.tools.chart;

import java.awt.Color;
import java.awt.Dimension;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.panallama.LlamaException;
import org.panallama.internal.AtomicFile;
import org.w3c.dom.Document;

/**
 * A chart of curves with error bars, as PNG or SVG. Needs no display, but the JDK's {@code java.desktop} module and a font.
 * Immutable.
 */
public final class Chart {

    private static final int WIDTH = 1000;
    private static final int HEIGHT = 620;
    private static final int PNG_SCALE = 2; // readable on dense screens and in print
    private static final String SVG_NAMESPACE = "http://www.w3.org/2000/svg";
    private static final double FEW_DECADES = 8; // a wider range than this gets a logarithmic axis

    private final String title;
    private final String xTitle;
    private final String yTitle;
    private final List<Curve> curves;

    private Chart(Builder builder) {
        title = builder.title;
        xTitle = builder.xTitle;
        yTitle = builder.yTitle;
        curves = List.copyOf(builder.curves);
    }

    /**
     * A point of a curve.
     *
     * @param x where
     * @param y the value
     * @param error half the length of its error bar, 0 for none
     * @param label text beside it, may be empty
     */
    public record Point(double x, double y, double error, String label) {

        /** Checks that the numbers can be drawn. */
        public Point {
            if (!Double.isFinite(x) || !Double.isFinite(y) || !Double.isFinite(error)) {
                throw new IllegalArgumentException("the point " + x + ", " + y + " ± " + error + " is not finite");
            }
        }
    }

    private record Curve(String name, List<Point> points) {
        double[] values(ToDoubleFunction<Point> of) {
            return points.stream().mapToDouble(of).toArray();
        }
    }

    /** Begins a chart with its title and what the axes show, with units. */
    public static Builder builder(String title, String xTitle, String yTitle) {
        return new Builder(title, xTitle, yTitle);
    }

    /** Collects curves. */
    public static final class Builder {

        private final String title;
        private final String xTitle;
        private final String yTitle;
        private final List<Curve> curves = new ArrayList<>();

        private Builder(String title, String xTitle, String yTitle) {
            this.title = Objects.requireNonNull(title, "title");
            this.xTitle = Objects.requireNonNull(xTitle, "xTitle");
            this.yTitle = Objects.requireNonNull(yTitle, "yTitle");
        }

        /**
         * Adds a curve through points from left to right.
         *
         * @throws IllegalArgumentException if there are no points, or the name was given before
         */
        public Builder curve(String name, List<Point> points) {
            if (points.isEmpty()) {
                throw new IllegalArgumentException("the curve '" + name + "' has no points");
            }
            if (curves.stream().anyMatch(curve -> curve.name.equals(name))) {
                throw new IllegalArgumentException("there are two curves named '" + name + "'");
            }
            curves.add(new Curve(name, List.copyOf(points)));
            return this;
        }

        /**
         * Makes the chart.
         *
         * @throws IllegalArgumentException if it has no curve
         */
        public Chart build() {
            if (curves.isEmpty()) {
                throw new IllegalArgumentException("the chart has no curve");
            }
            return new Chart(this);
        }
    }

    /**
     * Refuses names of files that {@link #write} could not write, before there is anything to draw.
     *
     * @throws IllegalArgumentException unless the name ends in {@code .png} or {@code .svg}
     */
    public static void checkName(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        if (!name.endsWith(".png") && !name.endsWith(".svg")) {
            throw new IllegalArgumentException("the chart '" + file + "' must be named .png or .svg");
        }
    }

    /**
     * Writes the chart. The file appears whole or not at all.
     *
     * @param file with the name's end saying what: {@code .png} or {@code .svg}
     * @throws IllegalArgumentException if the name ends otherwise
     * @throws LlamaException if the file cannot be written, or this JDK cannot draw text
     */
    public void write(Path file) {
        checkName(file);
        byte[] picture;
        try {
            XYChart chart = draw();
            picture = file.toString().toLowerCase(Locale.ROOT).endsWith(".svg") ? svg(chart) : png(chart);
        } catch (IOException | ParserConfigurationException e) {
            throw new LlamaException("Cannot draw " + file + ": " + e, e);
        } catch (LinkageError | InternalError e) {
            // So ends the JDK's text layout without the system's font libraries.
            throw new LlamaException(
                    "Cannot draw " + file + ": this JDK cannot draw text (" + e + "). Install fontconfig and a font,"
                            + " on Debian: apt-get install fontconfig fonts-dejavu-core",
                    e);
        }
        AtomicFile.write(file, temporary -> Files.write(temporary, picture));
    }

    private XYChart draw() {
        System.setProperty("java.awt.headless", "true");
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(xTitle)
                .yAxisTitle(yTitle)
                .theme(ChartTheme.XChart)
                .build();
        chart.getStyler()
                .setChartBackgroundColor(Color.WHITE)
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendVisible(curves.size() > 1)
                .setBaseFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14))
                .setLocale(Locale.ROOT);
        chart.getStyler()
                .setErrorBarsColorSeriesColor(true)
                .setXAxisLogarithmic(isWide(curves.stream()
                        .flatMap(curve -> curve.points().stream())
                        .mapToDouble(Point::x)
                        .toArray()))
                .setXAxisTickLabelsFormattingFunction(Chart::number)
                .setYAxisTickLabelsFormattingFunction(Chart::number)
                .setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        for (Curve curve : curves) {
            chart.addSeries(curve.name, curve.values(Point::x), curve.values(Point::y), curve.values(Point::error));
            for (Point point : curve.points) {
                if (!point.label.isEmpty()) {
                    chart.addAnnotation(new AnnotationText(point.label, point.x, point.y, false));
                }
            }
        }
        return chart;
    }

    private static boolean isWide(double[] values) {
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (double value : values) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        return least > 0 && most / least > FEW_DECADES;
    }

    private static String number(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return String.format(Locale.ROOT, "%.0f", value);
        }
        String text = String.format(Locale.ROOT, "%.4f", value);
        return text.replaceFirst("\\.?0+$", "");
    }

    private static byte[] png(XYChart chart) throws IOException {
        BufferedImage image = new BufferedImage(WIDTH * PNG_SCALE, HEIGHT * PNG_SCALE, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.scale(PNG_SCALE, PNG_SCALE);
        chart.paint(graphics, WIDTH, HEIGHT);
        graphics.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(image, "png", bytes);
        return bytes.toByteArray();
    }

    private static byte[] svg(XYChart chart) throws IOException, ParserConfigurationException {
        Document document = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .getDOMImplementation()
                .createDocument(SVG_NAMESPACE, "svg", null);
        SVGGraphics2D graphics = new SVGGraphics2D(document);
        graphics.setSVGCanvasSize(new Dimension(WIDTH, HEIGHT));
        graphics.setClip(new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
        chart.paint(graphics, WIDTH, HEIGHT);
        StringWriter text = new StringWriter();
        graphics.stream(text, true);
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
