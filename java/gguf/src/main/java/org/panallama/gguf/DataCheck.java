package org.panallama.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Looks for numbers that are not finite: in every element of floating-point types, in the scales of quantized ones. It is
 * what llama.cpp checks when asked to check tensors, and Q8_1 besides.
 */
final class DataCheck {

    private static final int F16_EXPONENT = 0x7C00;
    private static final int F32_EXPONENT = 0x7F80_0000;
    private static final long F64_EXPONENT = 0x7FF0_0000_0000_0000L;

    private final GgmlType type;
    private final int[] scales; // where in a block half-precision scales lie
    private long blocks;
    private long bad;
    private long firstBad;

    private DataCheck(GgmlType type) {
        this.type = type;
        this.scales = scales(type);
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
        for (int at = 0; at < chunk.limit(); at += width) {
            if (!isFinite(chunk, at)) {
                firstBad = bad++ == 0 ? blocks : firstBad;
            }
            blocks++;
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
