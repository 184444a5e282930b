package org.panallama.gguf;

import java.nio.ByteOrder;

/**
 * The way a file is encoded.
 *
 * @param version 2 or 3
 * @param order of the bytes in all numbers, tensor data included; version 2 is little-endian by its specification,
 *     though files in the other order exist
 */
public record GgufFormat(int version, ByteOrder order) {

    /** Version 3, little-endian: what llama.cpp writes and nearly every machine reads. */
    public static final GgufFormat CURRENT = new GgufFormat(3, ByteOrder.LITTLE_ENDIAN);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if the version is neither 2 nor 3
     */
    public GgufFormat {
        if (version != 2 && version != 3) {
            throw new IllegalArgumentException("version is " + version + ", must be 2 or 3");
        }
    }
}
