package org.panallama.internal;

/** Argument checks whose messages name the value and its range. */
public final class Require {

    private Require() {}

    public static int inRange(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(name + " is " + value + ", must be "
                    + (max == Integer.MAX_VALUE ? min + " or more" : min + " to " + max));
        }
        return value;
    }

    public static float inRange(String name, float value, float min, float max) {
        if (!(value >= min && value <= max)) { // NaN fails too
            throw new IllegalArgumentException(name + " is " + value + ", must be "
                    + (max == Float.MAX_VALUE ? min + " or more" : min + " to " + max));
        }
        return value;
    }

    public static float finite(String name, float value) {
        if (!Float.isFinite(value)) {
            throw new IllegalArgumentException(name + " is " + value + ", must be finite");
        }
        return value;
    }

    public static int index(String name, int value, int size) {
        if (value < 0 || value >= size) {
            throw new IndexOutOfBoundsException(name + " " + value + " is out of range: 0 to " + (size - 1));
        }
        return value;
    }

    /** C strings end at the first NUL. */
    public static String noNul(String name, String value) {
        int nul = value.indexOf('\0');
        if (nul >= 0) {
            throw new IllegalArgumentException(name + " contains a NUL character at index " + nul);
        }
        return value;
    }
}
