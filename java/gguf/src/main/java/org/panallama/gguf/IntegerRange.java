package org.panallama.gguf;

/** The values that an integer type has. */
final class IntegerRange {

    private IntegerRange() {}

    /** Throws unless the type has the value; any bits will do for 64 bits. */
    static void check(GgufType type, long value) {
        long bits = 8L * type.bytes();
        if (bits == Long.SIZE) {
            return;
        }
        boolean unsigned = type.name().startsWith("U");
        long min = unsigned ? 0 : -(1L << (bits - 1));
        long max = (1L << (unsigned ? bits : bits - 1)) - 1;
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    "value is " + value + ", must be from " + min + " to " + max + " for " + type);
        }
    }
}
