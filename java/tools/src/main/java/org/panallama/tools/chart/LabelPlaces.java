package org.panallama.tools.chart;

import java.awt.geom.Point2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;

/** Finds places for labels beside their points where they cover neither each other nor another point. In pixels. */
final class LabelPlaces {

    private static final double HEIGHT = 16;
    private static final double LETTER = 8;
    private static final double POINT = 10; // across

    private final Rectangle2D plot;
    private final List<Rectangle2D> taken = new ArrayList<>();

    /**
     * Begins.
     *
     * @param plot where labels may be
     * @param points that they must not cover
     */
    LabelPlaces(Rectangle2D plot, List<Point2D> points) {
        this.plot = plot;
        points.forEach(point -> taken.add(around(point.getX(), point.getY(), POINT, POINT)));
    }

    /** The middle of the label, in the first free of the places around its point, or above it if none is free. */
    Point2D place(Point2D point, String label) {
        double width = LETTER * label.length();
        for (double distance = 1; distance < 4; distance++) {
            double up = distance * (HEIGHT + POINT) / 2;
            double aside = (width + POINT) / 2 + (distance - 1) * LETTER;
            double[][] steps = {
                {0, -up}, {0, up}, {aside, -up}, {-aside, -up}, {aside, up}, {-aside, up}, {aside, 0}, {-aside, 0}
            };
            for (double[] step : steps) {
                Rectangle2D place = around(point.getX() + step[0], point.getY() + step[1], width, HEIGHT);
                if (plot.contains(place) && taken.stream().noneMatch(place::intersects)) {
                    taken.add(place);
                    return new Point2D.Double(place.getCenterX(), place.getCenterY());
                }
            }
        }
        return new Point2D.Double(point.getX(), point.getY() - HEIGHT);
    }

    private static Rectangle2D around(double x, double y, double width, double height) {
        return new Rectangle2D.Double(x - width / 2, y - height / 2, width, height);
    }
}
