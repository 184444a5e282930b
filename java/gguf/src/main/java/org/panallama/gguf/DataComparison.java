package org.panallama.gguf;

import java.nio.ByteBuffer;

/** Counts the elements in which two tensors of one type differ; for quantized types, the blocks. */
final class DataComparison {

    private final GgmlType type;
    private long units;
    private long different;
    private double largest;

    DataComparison(GgmlType type) {
        this.type = type;
    }

    /** Compares two pieces of the same length, whole elements or blocks. */
    void compare(ByteBuffer a, ByteBuffer b) {
        int width = type.typeSize();
        units += a.remaining() / width;
        // The JDK compares bytes fast; only what differs is looked at one by one.
        if (a.order() == b.order() && a.equals(b)) {
            return;
        }
        for (int at = 0; at < a.limit(); at += width) {
            if (type.isQuantized()) {
                different += a.slice(at, width).equals(b.slice(at, width)) ? 0 : 1;
            } else {
                compareNumber(a, b, at);
            }
        }
    }

    private void compareNumber(ByteBuffer a, ByteBuffer b, int at) {
        if (bits(a, at) != bits(b, at)) {
            different++;
            double distance = Math.abs(Numbers.read(type, a, at) - Numbers.read(type, b, at));
            if (distance > largest) {
                largest = distance;
            }
        }
    }

    private long bits(ByteBuffer data, int at) {
        return switch (type.typeSize()) {
            case Byte.BYTES -> data.get(at);
            case Short.BYTES -> data.getShort(at);
            case Integer.BYTES -> data.getInt(at);
            default -> data.getLong(at);
        };
    }

    boolean differs() {
        return different > 0;
    }

    @Override
    public String toString() {
        return type.isQuantized()
                ? different + " of " + units + " blocks differ"
                : different + " of " + units + " elements differ, by at most " + (float) largest;
    }
}
