package org.panallama.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Looks for numbers that are not finite: in every element of floating-point types, in the scales of quantized ones. It
 * is what llama.cpp checks when asked to check tensors, and Q8_1 besides.
 */
final class DataCheck {

    private static final int F16_EXPONENT = 0x7C00;
    private static final int F32_EXPONENT = 0x7F80_0000;
    private static final long F64_EXPONENT = 0x7FF0_0000_0000_0000L;

    private final GgmlType type;
    private final int[] scales; // where in a block half-precision scales lie
    private final long signs; // of the numbers in eight bytes; 0 unless the type is a floating-point one
    private final long units; // the lowest bit of each number's exponent
    private long blocks;
    private long bad;
    private long firstBad;

    private DataCheck(GgmlType type) {
        this.type = type;
        this.scales = scales(type);
        this.signs = switch (type) {
            case F16, BF16 -> 0x8000_8000_8000_8000L;
            case F32 -> 0x8000_0000_8000_0000L;
            case F64 -> 0x8000_0000_0000_0000L;
            default -> 0;
        };
        this.units = switch (type) {
            case F16 -> 0x0400_0400_0400_0400L;
            case BF16 -> 0x0080_0080_0080_0080L;
            case F32 -> 0x0080_0000_0080_0000L;
            case F64 -> 0x0010_0000_0000_0000L;
            default -> 0;
        };
    }

    private static int[] scales(GgmlType type) {
        return switch (type) {
            case F16 -> new int[] {0};
            case Q4_1, Q5_1, Q8_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q2_K -> new int[] {80, 82};
            case Q3_K -> new int[] {108};
            case Q6_K -> new int[] {208};
            case TQ1_0 -> new int[] {52};
            case TQ2_0 -> new int[] {64};
            case Q4_0, Q5_0, Q8_0, Q1_0, Q2_0, IQ1_S, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ4_NL, IQ4_XS ->
                new int[] {0};
            default -> new int[0];
        };
    }

    /** Reads a tensor and reports if it holds such numbers. */
    static void check(GgufFile file, GgufTensor tensor, Findings findings, Work work) throws IOException {
        GgmlType type = tensor.ggmlType();
        DataCheck check = new DataCheck(type);
        int chunkBytes = Work.CHUNK / type.typeSize() * type.typeSize();
        file.readChunks(tensor, chunkBytes, chunk -> {
            check.scan(chunk);
            work.done(chunk.limit());
        });
        if (check.bad > 0) {
            String unit = type.isQuantized() ? "block" : "element";
            findings.damage(
                    file.offset(tensor) + check.firstBad * type.typeSize(),
                    "tensor '" + tensor.name() + "' (" + type + "): " + check.bad + " of " + check.blocks + " " + unit
                            + "s " + (type.isQuantized() ? "have a scale that is" : "are")
                            + " NaN or infinite, the first is " + unit + " " + check.firstBad);
        }
    }

    private void scan(ByteBuffer chunk) {
        int width = type.typeSize();
        int whole = signs == 0 ? 0 : chunk.limit() & -Long.BYTES;
        long exponents = signs - units;
        for (int at = 0; at < whole; at += Long.BYTES) {
            // One more than an exponent of all ones carries into the place of the sign.
            if (((chunk.getLong(at) & exponents) + units & signs) != 0) {
                scan(chunk, at, at + Long.BYTES, width);
            }
        }
        scan(chunk, whole, chunk.limit(), width);
        blocks += chunk.limit() / width;
    }

    private void scan(ByteBuffer chunk, int from, int to, int width) {
        for (int at = from; at < to; at += width) {
            if (!isFinite(chunk, at)) {
                firstBad = bad++ == 0 ? blocks + at / width : firstBad;
            }
        }
    }

    private boolean isFinite(ByteBuffer data, int at) {
        switch (type) {
            case F32, Q8_K -> {
                return (data.getInt(at) & F32_EXPONENT) != F32_EXPONENT;
            }
            case F64 -> {
                return (data.getLong(at) & F64_EXPONENT) != F64_EXPONENT;
            }
            case BF16 -> {
                return (data.getShort(at) << Short.SIZE & F32_EXPONENT) != F32_EXPONENT;
            }
            case IQ1_M -> {
                // The scale is spread over the top nibbles of four words; its exponent is in the last two.
                int exponent = data.getShort(at + 54) & 0xF000 | data.getShort(at + 52) >> 4 & 0x0F00;
                return (exponent & F16_EXPONENT) != F16_EXPONENT;
            }
            case MXFP4 -> {
                return data.get(at) != (byte) 0xFF;
            }
            default -> {
                for (int scale : scales) {
                    if ((data.getShort(at + scale) & F16_EXPONENT) == F16_EXPONENT) {
                        return false;
                    }
                }
                return true;
            }
        }
    }
}
