package org.panallama.gguf;

import java.util.Locale;

/**
 * The number formats a tensor can be stored in, as llama.cpp v0.4.0 numbers them. Quantized types store a row of
 * numbers as blocks of {@link #blockSize()} elements in {@link #typeSize()} bytes each.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the GGUF specification</a>
 */
public enum GgmlType {
    /** IEEE 754 single precision. */
    F32(0, 1, 4),
    /** IEEE 754 half precision. */
    F16(1, 1, 2),
    /** 4-bit blocks of 32 with one scale. */
    Q4_0(2, 32, 18),
    /** 4-bit blocks of 32 with scale and minimum. */
    Q4_1(3, 32, 20),
    /** 5-bit blocks of 32 with one scale. */
    Q5_0(6, 32, 22),
    /** 5-bit blocks of 32 with scale and minimum. */
    Q5_1(7, 32, 24),
    /** 8-bit blocks of 32 with one scale. */
    Q8_0(8, 32, 34),
    /** 8-bit blocks of 32 with scale and sum; for activations inside kernels, never in a model file. */
    Q8_1(9, 32, 36),
    /** 2-bit super-blocks of 256. */
    Q2_K(10, 256, 84),
    /** 3-bit super-blocks of 256. */
    Q3_K(11, 256, 110),
    /** 4-bit super-blocks of 256. */
    Q4_K(12, 256, 144),
    /** 5-bit super-blocks of 256. */
    Q5_K(13, 256, 176),
    /** 6-bit super-blocks of 256. */
    Q6_K(14, 256, 210),
    /** 8-bit super-blocks of 256; for activations inside kernels, never in a model file. */
    Q8_K(15, 256, 292),
    /** 2.06-bit codebook super-blocks of 256. */
    IQ2_XXS(16, 256, 66),
    /** 2.31-bit codebook super-blocks of 256. */
    IQ2_XS(17, 256, 74),
    /** 3.06-bit codebook super-blocks of 256. */
    IQ3_XXS(18, 256, 98),
    /** 1.56-bit codebook super-blocks of 256. */
    IQ1_S(19, 256, 50),
    /** 4-bit non-linear blocks of 32. */
    IQ4_NL(20, 32, 18),
    /** 3.44-bit codebook super-blocks of 256. */
    IQ3_S(21, 256, 110),
    /** 2.56-bit codebook super-blocks of 256. */
    IQ2_S(22, 256, 82),
    /** 4.25-bit non-linear super-blocks of 256. */
    IQ4_XS(23, 256, 136),
    /** Signed 8-bit integers. */
    I8(24, 1, 1),
    /** Signed 16-bit integers. */
    I16(25, 1, 2),
    /** Signed 32-bit integers. */
    I32(26, 1, 4),
    /** Signed 64-bit integers. */
    I64(27, 1, 8),
    /** IEEE 754 double precision. */
    F64(28, 1, 8),
    /** 1.75-bit codebook super-blocks of 256. */
    IQ1_M(29, 256, 56),
    /** Brain floating point: the upper 16 bits of a single. */
    BF16(30, 1, 2),
    /** 1.69-bit ternary super-blocks of 256. */
    TQ1_0(34, 256, 54),
    /** 2.06-bit ternary super-blocks of 256. */
    TQ2_0(35, 256, 66),
    /** OCP microscaling 4-bit floating point, blocks of 32. */
    MXFP4(39, 32, 17),
    /** NVIDIA 4-bit floating point, blocks of 64 with four sub-scales. */
    NVFP4(40, 64, 36),
    /** 1-bit blocks of 128 with one scale. */
    Q1_0(41, 128, 18),
    /** 2-bit blocks of 64 with one scale. */
    Q2_0(42, 64, 18);

    private static final GgmlType[] BY_ID = new GgmlType[43];

    static {
        for (GgmlType type : values()) {
            BY_ID[type.id] = type;
        }
    }

    private final int id;
    private final int blockSize;
    private final int typeSize;

    GgmlType(int id, int blockSize, int typeSize) {
        this.id = id;
        this.blockSize = blockSize;
        this.typeSize = typeSize;
    }

    /**
     * Returns the type with a ggml number.
     *
     * @param id the number that GGUF files and llama.cpp use
     * @return the type
     * @throws IllegalArgumentException if llama.cpp v0.4.0 has no such type; the message says what became of types that
     *     it once had
     */
    public static GgmlType of(int id) {
        if (id >= 0 && id < BY_ID.length) {
            GgmlType type = BY_ID[id];
            if (type != null) {
                return type;
            }
            String gone = id <= 5 ? "Q4_" + (id - 2) : id <= 33 ? "a repacked Q4_0" : "a repacked IQ4_NL";
            throw new IllegalArgumentException("tensor type " + id + " (" + gone + ") was removed from llama.cpp; "
                    + "quantize the model again to a current type");
        }
        throw new IllegalArgumentException(
                "unknown tensor type " + id + "; llama.cpp v0.4.0 knows 0 to " + (BY_ID.length - 1));
    }

    /** Returns the number of this type in GGUF files and in llama.cpp. */
    public int id() {
        return id;
    }

    /** Returns the number of elements in a block; 1 unless {@link #isQuantized()}. */
    public int blockSize() {
        return blockSize;
    }

    /** Returns the number of bytes in a block. */
    public int typeSize() {
        return typeSize;
    }

    /** Returns whether elements are stored in blocks that share scales. */
    public boolean isQuantized() {
        return blockSize > 1;
    }

    /** Returns the storage cost of an element in bits, scales included. */
    public double bitsPerWeight() {
        return 8.0 * typeSize / blockSize;
    }

    /**
     * Returns the storage size of a row or a whole tensor.
     *
     * @param elements number of elements, a multiple of {@link #blockSize()}
     * @return size in bytes
     * @throws IllegalArgumentException if {@code elements} is negative or not a multiple of the block size
     * @throws ArithmeticException if the size exceeds {@link Long#MAX_VALUE}
     */
    public long bytes(long elements) {
        if (elements < 0 || elements % blockSize != 0) {
            throw new IllegalArgumentException(
                    elements + " elements are not a whole number of " + name() + " blocks of " + blockSize);
        }
        return Math.multiplyExact(elements / blockSize, (long) typeSize);
    }

    /** Returns the type's name as llama.cpp prints it, for instance {@code q4_K} or {@code f16}. */
    public String ggmlName() {
        return name().endsWith("_K")
                ? name().substring(0, name().length() - 1).toLowerCase(Locale.ROOT) + "K"
                : name().toLowerCase(Locale.ROOT);
    }
}
