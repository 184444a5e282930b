package org.panallama.fuzz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.panallama.internal.GgufFile;
import org.panallama.internal.GgufType;
import org.panallama.internal.GgufWriter;

/**
 * Damages a model in one of endless ways, each decided by a number alone. The header is followed by room to grow, so
 * that only it is written for a case and the megabytes behind it stay where they are.
 */
public final class ModelMutator {
    private static final String ROOM_KEY = "fuzz.room";
    private static final int ROOM = 1 << 18;

    /** Bytes behind the last tensor, for tensors that grow. */
    private static final int SPARE = 1 << 22;

    private final Path file;
    private final GgufFile original;
    private final byte[] header;
    private final long size;
    private String description = "";

    /**
     * Copies a model to a place where it can be damaged.
     *
     * @param model a sound model, left alone
     * @param file where to put the copy
     * @throws IOException if that fails
     */
    public ModelMutator(Path model, Path file) throws IOException {
        this.file = file;
        this.original = GgufFile.read(model);
        this.header = padded(GgufWriter.of(original), ROOM);
        try (FileChannel in = FileChannel.open(model);
                FileChannel out = open()) {
            out.write(ByteBuffer.wrap(header));
            long data = original.size() - original.dataOffset();
            for (long done = 0; done < data; ) {
                done += in.transferTo(original.dataOffset() + done, data - done, out);
            }
            out.write(ByteBuffer.allocate(1), out.size() + SPARE);
            this.size = out.size();
        }
    }

    /** Returns what the last case did. */
    public String description() {
        return description;
    }

    /**
     * Puts a damaged model into the file, loads it, and mends the file.
     *
     * @param number decides the damage
     * @param load what to do with it
     * @throws IOException if the file cannot be written
     */
    public void run(long number, Runnable load) throws IOException {
        Random random = new Random(number * 0x9E37_79B9_7F4A_7C15L);
        int kind = random.nextInt(100);
        if (kind < 12) {
            truncated(random, load);
        } else if (kind < 22) {
            withData(random, load);
        } else {
            byte[] damaged = kind < 47 ? flipped(random) : restructured(random);
            try {
                write(0, damaged);
                load.run();
            } finally {
                write(0, header);
            }
        }
    }

    private void truncated(Random random, Runnable load) throws IOException {
        long end = random.nextBoolean() ? random.nextInt(header.length) : (long) (random.nextDouble() * size);
        description = "cut at " + end;
        Path cut = file.resolveSibling(file.getFileName() + ".whole");
        Files.move(file, cut);
        try {
            write(0, Arrays.copyOf(header, (int) Math.min(end, header.length)));
            try (FileChannel out = open()) {
                if (end > out.size()) {
                    out.write(ByteBuffer.allocate(1), end - 1);
                }
            }
            load.run();
        } finally {
            Files.move(cut, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private void withData(Random random, Runnable load) throws IOException {
        int length = 1 << random.nextInt(13);
        long at = header.length + (long) (random.nextDouble() * (size - header.length - length));
        description = "data " + at + " +" + length;
        byte[] before = new byte[length];
        try (FileChannel in = FileChannel.open(file)) {
            in.read(ByteBuffer.wrap(before), at);
        }
        byte[] noise = new byte[length];
        random.nextBytes(noise);
        if (random.nextBoolean()) {
            Arrays.fill(noise, (byte) 0xFF);
        }
        try {
            write(at, noise);
            load.run();
        } finally {
            write(at, before);
        }
    }

    private byte[] flipped(Random random) {
        byte[] damaged = header.clone();
        int count = 1 + random.nextInt(4);
        // The vocabulary fills most of the header; what stands before and behind it gets its share.
        int zone = random.nextInt(3);
        int list = 80 * original.tensors().size();
        int from = zone == 0 ? 0 : zone == 1 ? damaged.length - list : 1000;
        int to = zone == 0 ? 1200 : zone == 1 ? damaged.length : damaged.length - ROOM - list;
        StringBuilder text = new StringBuilder("flipped");
        for (int i = 0; i < count; i++) {
            int at = from + random.nextInt(to - from);
            damaged[at] = (byte)
                    switch (random.nextInt(4)) {
                        case 0 -> damaged[at] ^ 1 << random.nextInt(8);
                        case 1 -> 0;
                        case 2 -> 0xFF;
                        default -> random.nextInt();
                    };
            text.append(' ').append(at);
        }
        description = text.toString();
        return damaged;
    }

    private byte[] restructured(Random random) {
        GgufWriter writer = GgufWriter.of(original);
        description = new HeaderMutation(original, writer, random).apply();
        int left = header.length - padded(writer, 0).length;
        if (left < 0) {
            description = "nothing, for want of room: " + description;
            return header;
        }
        return padded(writer, left);
    }

    private static byte[] padded(GgufWriter writer, int room) {
        writer.put(GgufWriter.array(ROOM_KEY, GgufType.UINT8, room, new byte[room]));
        return writer.header();
    }

    private void write(long at, byte[] bytes) throws IOException {
        try (FileChannel out = open()) {
            out.write(ByteBuffer.wrap(bytes), at);
        }
    }

    private FileChannel open() throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }
}
