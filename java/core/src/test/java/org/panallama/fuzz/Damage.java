package org.panallama.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damages files at random places. */
public final class Damage {

    private static final long[] EXTREMES = {
        0,
        1,
        -1,
        2,
        8,
        9,
        13,
        63,
        64,
        65,
        255,
        256,
        65535,
        65536,
        1L << 20,
        1L << 24,
        1L << 28,
        1L << 31,
        (1L << 31) - 1,
        1L << 32,
        (1L << 32) - 1,
        1L << 40,
        1L << 60,
        1L << 61,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Long.MAX_VALUE - 31
    };

    private static final List<String> NUMBERS = List.of(
            "0",
            "-0",
            "-1",
            "1",
            "7",
            "65536",
            "2147483647",
            "2147483648",
            "4294967295",
            "9007199254740993",
            "1152921504606846976",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1e400",
            "1.5",
            "1e-400",
            "1E9",
            "99999999999999999999999999999999");

    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "false",
            "[]",
            "{}",
            "[[]]",
            "\"\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "[null]",
            "{\"a\":null}",
            "[[[[[[[[",
            "{\"a\":{\"a\":{\"a\":",
            "NaN",
            "Infinity",
            "\"a\"",
            "\"-1\"",
            "[1,\"a\"]");

    private Damage() {}

    /**
     * Damages one of several files as bytes: numbers of both orders become extreme ones, bits flip, stretches are copied,
     * dropped, put in, or come from another of the files.
     */
    public static byte[] bytes(List<byte[]> sound, Random random) {
        byte[] file = sound.get(random.nextInt(sound.size())).clone();
        for (int n = many(random); n > 0; n--) {
            file = damaged(file, sound, random);
        }
        return file;
    }

    /**
     * Damages a JSON text, or another that is like it: numbers and values become others, signs change, stretches are
     * copied, dropped and put in.
     */
    public static byte[] text(List<byte[]> sound, Random random) {
        byte[] file = sound.get(random.nextInt(sound.size())).clone();
        for (int n = many(random); n > 0; n--) {
            file = switch (random.nextInt(6)) {
                case 0 -> replaced(file, random, Damage::isDigit, pick(NUMBERS, random));
                case 1 -> replaced(file, random, Damage::isDigit, pick(VALUES, random));
                case 2 -> replaced(file, random, Damage::isWord, pick(VALUES, random));
                case 3 -> withSign(file, random);
                default -> damaged(file, sound, random);
            };
        }
        return file;
    }

    /** Mostly one, two or three: much damage is found at once. */
    private static int many(Random random) {
        return random.nextInt(8) == 0 ? 1 + random.nextInt(16) : 1 + random.nextInt(3);
    }

    private static byte[] damaged(byte[] file, List<byte[]> others, Random random) {
        if (file.length < Long.BYTES) {
            return others.get(random.nextInt(others.size())).clone();
        }
        int at = random.nextInt(file.length - Long.BYTES + 1);
        ByteBuffer buffer =
                ByteBuffer.wrap(file).order(random.nextInt(8) == 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        switch (random.nextInt(10)) {
            case 0, 1 -> file[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            case 2 -> file[at] = (byte) random.nextInt();
            case 3, 4 -> buffer.putLong(at, EXTREMES[random.nextInt(EXTREMES.length)]);
            case 5 -> buffer.putInt(at, (int) EXTREMES[random.nextInt(EXTREMES.length)]);
            case 6 -> buffer.putLong(at, buffer.getLong(at) + random.nextInt(33) - 16);
            case 7 -> {
                byte[] other = others.get(random.nextInt(others.size()));
                int from = random.nextInt(other.length);
                int length = Math.min(file.length - at, 1 + random.nextInt(other.length - from));
                System.arraycopy(other, from, file, at, Math.min(length, other.length - from));
            }
            case 8 -> {
                return spliced(file, at, random);
            }
            default -> {
                return random.nextInt(4) == 0
                        ? Arrays.copyOf(file, random.nextInt(file.length + file.length / 4))
                        : spliced(file, at, random);
            }
        }
        return file;
    }

    /** Drops a stretch, or puts one in a second time. */
    private static byte[] spliced(byte[] file, int at, Random random) {
        int length = 1 + random.nextInt(Math.min(file.length - at, 1 << random.nextInt(10)));
        boolean drop = random.nextBoolean();
        int from = drop ? at + length : at;
        byte[] result = new byte[drop ? file.length - length : file.length + length];
        int kept = drop ? at : at + length;
        System.arraycopy(file, 0, result, 0, kept);
        System.arraycopy(file, from, result, kept, file.length - from);
        return result;
    }

    private interface Kind {
        boolean matches(byte character);
    }

    private static boolean isDigit(byte character) {
        return character >= '0' && character <= '9';
    }

    /** A text in quotes, or a bare word. */
    private static boolean isWord(byte character) {
        return character == '"' || character == '_' || character == '.' || Character.isLetterOrDigit(character);
    }

    private static byte[] replaced(byte[] file, Random random, Kind kind, String by) {
        int from = file.length == 0 ? 0 : random.nextInt(file.length);
        while (from < file.length && !kind.matches(file[from])) {
            from++;
        }
        int to = from;
        while (to < file.length && kind.matches(file[to])) {
            to++;
        }
        byte[] text = by.getBytes(StandardCharsets.UTF_8);
        ByteBuffer result = ByteBuffer.allocate(file.length - (to - from) + text.length);
        return result.put(file, 0, from)
                .put(text)
                .put(file, to, file.length - to)
                .array();
    }

    private static byte[] withSign(byte[] file, Random random) {
        if (file.length > 0) {
            file[random.nextInt(file.length)] = (byte) "{}[]\",:0123456789-e\\ ntf".charAt(random.nextInt(24));
        }
        return file;
    }

    private static String pick(List<String> from, Random random) {
        return from.get(random.nextInt(from.size()));
    }
}
