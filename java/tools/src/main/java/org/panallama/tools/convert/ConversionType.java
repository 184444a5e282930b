package org.panallama.tools.convert;

import org.panallama.gguf.GgmlType;

/** The formats that a checkpoint's matrices can be converted to; norms, biases and routers are F32 in all of them. */
public enum ConversionType {
    /** Single precision: nothing is lost. */
    F32(GgmlType.F32, 0),
    /** Half precision: 11 bits of mantissa, magnitudes up to 65504. */
    F16(GgmlType.F16, 1),
    /** The upper half of single precision: 8 bits of mantissa; exact for bfloat16 checkpoints. */
    BF16(GgmlType.BF16, 32),
    /** 8-bit integers in blocks of 32 with a scale. */
    Q8_0(GgmlType.Q8_0, 7);

    private final GgmlType format;
    private final int fileType;

    ConversionType(GgmlType format, int fileType) {
        this.format = format;
        this.fileType = fileType;
    }

    /** The number format. */
    public GgmlType format() {
        return format;
    }

    /** llama.cpp's number of the file type. */
    public int fileType() {
        return fileType;
    }
}
