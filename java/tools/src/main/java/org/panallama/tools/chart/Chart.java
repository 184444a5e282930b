package org.panallama.tools.chart;

import java.awt.Color;
import java.awt.Dimension;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Point2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
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
    private static final double PLOT_WIDTH = 920;
    private static final double PLOT_HEIGHT = 530;
    private static final int PNG_SCALE = 2; // readable on dense screens and in print
    private static final String SVG_NAMESPACE = "http://www.w3.org/2000/svg";
    private static final double NARROW = 8; // a wider range than this gets a logarithmic axis

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

        /** A logarithmic axis of XChart has names at powers of ten only. */
        Curve byOctaves() {
            return new Curve(
                    name,
                    points.stream()
                            .map(point -> new Point(Math.log(point.x) / Math.log(2), point.y, point.error, point.label))
                            .toList());
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
        boolean wide = isWide(curves.stream()
                .flatMap(curve -> curve.points().stream())
                .mapToDouble(Point::x)
                .toArray());
        List<Curve> drawn = wide ? curves.stream().map(Curve::byOctaves).toList() : curves;
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
                .setXAxisTickLabelsFormattingFunction(wide ? Chart::powerOfTwo : Chart::number)
                .setYAxisTickLabelsFormattingFunction(Chart::number)
                .setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13))
                .setAnnotationTextFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        for (Curve curve : drawn) {
            chart.addSeries(curve.name, curve.values(Point::x), curve.values(Point::y), curve.values(Point::error));
        }
        label(chart, drawn.stream().flatMap(curve -> curve.points().stream()).toList());
        return chart;
    }

    /** XChart puts labels onto their points, so that neither can be seen, and does not say where on the picture these are. */
    private static void label(XYChart chart, List<Point> points) {
        if (points.stream().allMatch(point -> point.label.isEmpty())) {
            return;
        }
        Span x = Span.of(points.stream().mapToDouble(Point::x), PLOT_WIDTH);
        Span y = Span.of(
                points.stream().flatMapToDouble(point -> DoubleStream.of(point.y - point.error, point.y + point.error)),
                PLOT_HEIGHT);
        chart.getStyler()
                .setXAxisMin(x.from)
                .setXAxisMax(x.to)
                .setYAxisMin(y.from)
                .setYAxisMax(y.to);
        List<Point2D> places = points.stream()
                .<Point2D>map(point -> new Point2D.Double(x.pixel(point.x), PLOT_HEIGHT - y.pixel(point.y)))
                .toList();
        LabelPlaces free = new LabelPlaces(new Rectangle2D.Double(0, 0, PLOT_WIDTH, PLOT_HEIGHT), places);
        for (int i = 0; i < places.size(); i++) {
            String text = points.get(i).label;
            if (!text.isEmpty()) {
                Point2D middle = free.place(places.get(i), text);
                chart.addAnnotation(
                        new AnnotationText(text, x.value(middle.getX()), y.value(PLOT_HEIGHT - middle.getY()), false));
            }
        }
    }

    /** What an axis shows, with room at both ends, over about so many pixels. */
    private record Span(double from, double to, double pixels) {

        static Span of(DoubleStream values, double pixels) {
            DoubleSummaryStatistics range = values.summaryStatistics();
            double room = 0.08 * (range.getMax() - range.getMin());
            if (room == 0) {
                room = Math.max(1e-3, Math.abs(range.getMax()) / 10);
            }
            return new Span(range.getMin() - room, range.getMax() + room, pixels);
        }

        double pixel(double value) {
            return (value - from) / (to - from) * pixels;
        }

        double value(double pixel) {
            return from + pixel / pixels * (to - from);
        }
    }

    private static boolean isWide(double[] values) {
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (double value : values) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        return least > 0 && most / least > NARROW;
    }

    private static String powerOfTwo(double exponent) {
        return exponent == Math.rint(exponent) ? number(Math.pow(2, exponent)) : "";
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
