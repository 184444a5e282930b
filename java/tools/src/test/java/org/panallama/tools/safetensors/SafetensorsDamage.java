package org.panallama.tools.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.panallama.fuzz.Damage;

/** Damages safetensors files. */
public final class SafetensorsDamage {

    private SafetensorsDamage() {}

    /** The whole file as bytes, or the header as text; in most of these the length of the header is right again. */
    public static byte[] of(List<byte[]> sound, Random random) {
        if (random.nextInt(4) == 0) {
            return Damage.bytes(sound, random);
        }
        byte[] file = sound.get(random.nextInt(sound.size()));
        int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] header = Damage.text(List.of(Arrays.copyOfRange(file, Long.BYTES, Long.BYTES + length)), random);
        int data = file.length - Long.BYTES - length;
        ByteBuffer result =
                ByteBuffer.allocate(Long.BYTES + header.length + data).order(ByteOrder.LITTLE_ENDIAN);
        return result.putLong(random.nextInt(16) == 0 ? length : header.length)
                .put(header)
                .put(file, Long.BYTES + length, data)
                .array();
    }
}
