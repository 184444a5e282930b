package org.panallama.tools;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.panallama.TensorType;
import org.panallama.tools.safetensors.HalfFloats;

/**
 * Random data of every tensor format, as weights with a standard deviation of about 0.02: what a layer computes stays within
 * the range that it has in a trained model, and logits stay finite.
 *
 * <p>In a quantized block any byte is a valid quant, sub-scale or codebook index; only the scales that are floating-point
 * numbers need a sane value. Each is stated for its format as the value that gives weights of that size with random quants.
 */
final class RandomWeights {

    private static final float DEVIATION = 0.02f;

    /** Larger than any one row, small enough to fill in a moment. */
    private static final int TILE_BYTES = 16 << 20;

    /** A half-precision scale at an offset in a block. */
    private record Scale(int offset, float value) {}

    private static final Map<TensorType, List<Scale>> SCALES = new EnumMap<>(TensorType.class);

    static {
        put(TensorType.Q1_0, new Scale(0, 2e-2f));
        put(TensorType.Q2_0, new Scale(0, 1.3e-2f));
        put(TensorType.Q4_0, new Scale(0, 4.3e-3f));
        put(TensorType.Q4_1, new Scale(0, 4.3e-3f), new Scale(2, -7.5f * 4.3e-3f));
        put(TensorType.Q5_0, new Scale(0, 2.2e-3f));
        put(TensorType.Q5_1, new Scale(0, 2.2e-3f), new Scale(2, -15.5f * 2.2e-3f));
        put(TensorType.Q8_0, new Scale(0, 2.7e-4f));
        // The minimum is subtracted: its scale is the quants' scale times the mean quant.
        put(TensorType.Q2_K, new Scale(80, 1.4e-3f), new Scale(82, 1.5f * 1.4e-3f));
        put(TensorType.Q3_K, new Scale(108, 4.7e-4f));
        put(TensorType.Q4_K, new Scale(0, 7e-5f), new Scale(2, 7.5f * 7e-5f));
        put(TensorType.Q5_K, new Scale(0, 3.5e-5f), new Scale(2, 15.5f * 3.5e-5f));
        put(TensorType.Q6_K, new Scale(208, 1.5e-5f));
        put(TensorType.IQ1_S, new Scale(0, 2.5e-3f));
        put(TensorType.IQ2_XXS, new Scale(0, 4e-4f));
        put(TensorType.IQ2_XS, new Scale(0, 4e-4f));
        put(TensorType.IQ2_S, new Scale(0, 4e-4f));
        put(TensorType.IQ3_XXS, new Scale(0, 1.7e-4f));
        put(TensorType.IQ3_S, new Scale(0, 1.6e-4f));
        put(TensorType.IQ4_NL, new Scale(0, 2.9e-4f));
        put(TensorType.IQ4_XS, new Scale(0, 1.5e-5f));
        put(TensorType.TQ1_0, new Scale(52, 2.5e-2f));
        put(TensorType.TQ2_0, new Scale(64, 2e-2f));
    }

    private static void put(TensorType type, Scale... scales) {
        SCALES.put(type, List.of(scales));
    }

    private final SplittableRandom random;
    private final Map<TensorType, ByteBuffer> tiles = new EnumMap<>(TensorType.class);

    RandomWeights(long seed) {
        random = new SplittableRandom(seed);
    }

    /** Whether there are weights of this format. */
    static boolean covers(TensorType type) {
        return SCALES.containsKey(type)
                || switch (type) {
                    case F32, F16, BF16, IQ1_M, MXFP4, NVFP4 -> true;
                    default -> false;
                };
    }

    /**
     * Whole blocks of random data, to be repeated. Their number is a prime, so that no row begins where an earlier one of the
     * same tensor did until all blocks had their turn.
     *
     * @return a view from its first block on
     */
    ByteBuffer tile(TensorType type) {
        return tiles.computeIfAbsent(type, this::fill).duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A block of the tile by chance, as its offset in bytes. */
    int anyBlock(TensorType type) {
        int blocks = tile(type).capacity() / type.typeSize();
        return random.nextInt(blocks) * type.typeSize();
    }

    private ByteBuffer fill(TensorType type) {
        int blocks = TILE_BYTES / type.typeSize();
        while (!isPrime(blocks)) {
            blocks--;
        }
        ByteBuffer tile = ByteBuffer.allocateDirect(blocks * type.typeSize()).order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case F32 -> fillNumbers(tile, value -> tile.putFloat(value));
            case F16 -> fillNumbers(tile, value -> tile.putShort(HalfFloats.plainHalf(value)));
            case BF16 -> fillNumbers(tile, value -> tile.putShort((short) (Float.floatToIntBits(value) >>> 16)));
            default -> {
                byte[] bytes = new byte[tile.capacity()];
                random.nextBytes(bytes);
                tile.put(0, bytes);
                for (int block = 0; block < tile.capacity(); block += type.typeSize()) {
                    setScales(type, tile, block);
                }
            }
        }
        return tile.clear();
    }

    /** Takes a number. */
    @FunctionalInterface
    private interface Sink {
        void put(float value);
    }

    private void fillNumbers(ByteBuffer tile, Sink sink) {
        while (tile.hasRemaining()) {
            sink.put((float) (random.nextGaussian() * DEVIATION));
        }
    }

    private void setScales(TensorType type, ByteBuffer tile, int block) {
        switch (type) {
            case MXFP4 -> tile.put(block, (byte) (119 + random.nextInt(2))); // 2^-9 and 2^-8
            case NVFP4 -> {
                for (int i = 0; i < 4; i++) {
                    tile.put(block + i, (byte) (2 + random.nextInt(3))); // 2 to 4 of the smallest steps, 2^-9
                }
            }
            case IQ1_M -> {
                // The four upper bits of each of four shorts of sub-scales make the one scale.
                int bits = HalfFloats.plainHalf(2.5e-3f);
                for (int i = 0; i < 4; i++) {
                    int place = block + 48 + 2 * i;
                    tile.putShort(place, (short) (tile.getShort(place) & 0x0FFF | (bits >> 4 * i & 0xF) << 12));
                }
            }
            default -> {
                for (Scale scale : SCALES.get(type)) {
                    tile.putShort(block + scale.offset(), HalfFloats.plainHalf(scale.value()));
                }
            }
        }
    }

    private static boolean isPrime(int number) {
        for (int i = 2; i * i <= number; i++) {
            if (number % i == 0) {
                return false;
            }
        }
        return true;
    }
}
