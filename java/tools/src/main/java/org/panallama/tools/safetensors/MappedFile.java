package org.panallama.tools.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file in memory that is larger than a buffer may be. Windows begin at every GiB and are nearly two long, so that each
 * stretch of at most a GiB lies in one.
 */
final class MappedFile {

    static final int MAX_SLICE = 1 << 30;

    private final long size;
    private final ByteBuffer[] windows;

    private MappedFile(long size, ByteBuffer[] windows) {
        this.size = size;
        this.windows = windows;
    }

    static MappedFile map(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            ByteBuffer[] windows = new ByteBuffer[Math.toIntExact((size + MAX_SLICE - 1) / MAX_SLICE)];
            for (int i = 0; i < windows.length; i++) {
                long start = (long) i * MAX_SLICE;
                windows[i] = channel.map(MapMode.READ_ONLY, start, Math.min(size - start, Integer.MAX_VALUE));
            }
            return new MappedFile(size, windows);
        }
    }

    long size() {
        return size;
    }

    ByteBuffer slice(long offset, int length) {
        if (length == 0) {
            return ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        return windows[(int) (offset / MAX_SLICE)]
                .slice((int) (offset % MAX_SLICE), length)
                .order(ByteOrder.LITTLE_ENDIAN);
    }
}
