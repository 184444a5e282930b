package org.panallama.tools.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What files that are made to exhaust memory cost: a small multiple of the bytes that are really there. */
class SafetensorsMemoryTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    // Buffers and messages.
    private static final long BASE_BYTES = 1 << 18;

    private static final int COUNT = 20_000;
    private static final String EMPTY = "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";

    @TempDir
    private Path folder;

    /** Headers whose every byte costs as much as it can. */
    enum Costly {
        TENSORS(repeated("\"%d\":" + EMPTY)),
        DIMENSIONS(repeated("\"%d\":" + EMPTY.replace("[0]", "[0" + ",1".repeat(63) + "]"))),
        METADATA("{\"__metadata__\":" + repeated("\"%d\":\"\"") + "}"),
        NAME("{\"" + "你".repeat(COUNT) + "\":" + EMPTY + "}"),
        NOTHING_KNOWN("{\"a\":{\"b\":[" + "{},".repeat(COUNT) + "{}]}}"),
        NESTED("{\"a\":{\"b\":" + "[".repeat(COUNT));

        final String header;

        Costly(String header) {
            this.header = header;
        }

        private static String repeated(String entry) {
            return IntStream.range(0, COUNT / 10).mapToObj(entry::formatted).collect(Collectors.joining(",", "{", "}"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyByteOfAHeaderCostsAFew(Costly costly) throws IOException {
        byte[] header = costly.header.getBytes(StandardCharsets.UTF_8);
        assertThat(allocated(header.length, header)).isLessThan(BASE_BYTES + 40L * header.length);
    }

    @ParameterizedTest
    @ValueSource(longs = {1 << 20, 99_999_999, 1L << 32, 1L << 60, Long.MAX_VALUE, -1})
    void whatAFileClaimsCostsNothing(long length) throws IOException {
        assertThat(allocated(length, new byte[100])).isLessThan(BASE_BYTES);
    }

    /** The lesser of two, since code allocates for itself when it runs for the first time. */
    private long allocated(long length, byte[] header) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
        Path file = Files.write(
                folder.resolve("costly.safetensors"),
                bytes.putLong(length).put(header).array());
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 2; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            try {
                Safetensors.open(file);
            } catch (SafetensorsException e) {
                // not all are sound
            }
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }
}
