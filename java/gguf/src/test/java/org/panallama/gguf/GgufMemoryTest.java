package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What files that are made to exhaust memory cost: a small multiple of the bytes that are really there. */
class GgufMemoryTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    // Buffers and messages.
    private static final long BASE_BYTES = 1 << 18;

    // Each file is validated and opened.
    private static final int READINGS = 2;

    @TempDir
    private Path folder;

    /** Headers whose every byte costs as much as it can. */
    enum Costly {
        EMPTY_STRINGS(1) {
            @Override
            void write(HeaderOut out) {
                out.begin(0, 1).key("a", GgufType.ARRAY).u32(GgufType.STRING.ordinal());
                out.u64(COUNT).raw(new byte[COUNT * Long.BYTES]);
            }
        },
        STRINGS_THAT_ARE_NOT_UTF8(1) {
            @Override
            void write(HeaderOut out) {
                out.begin(0, 1).key("a", GgufType.ARRAY).u32(GgufType.STRING.ordinal());
                out.u64(COUNT);
                for (int i = 0; i < COUNT; i++) {
                    out.u64(1).raw(new byte[] {-1});
                }
            }
        },
        ONE_STRING(1) {
            @Override
            void write(HeaderOut out) {
                out.begin(0, 1).key("a", GgufType.STRING).u64(COUNT).raw(new byte[COUNT]);
            }
        },
        NUMBERS(1) {
            @Override
            void write(HeaderOut out) {
                out.begin(0, 1).key("a", GgufType.ARRAY).u32(GgufType.UINT16.ordinal());
                out.u64(COUNT).raw(new byte[COUNT * Short.BYTES]);
            }
        },
        KEYS(24) {
            @Override
            void write(HeaderOut out) {
                out.begin(0, COUNT);
                for (int i = 0; i < COUNT; i++) {
                    out.key(Integer.toString(i, Character.MAX_RADIX), GgufType.UINT8)
                            .raw(new byte[1]);
                }
            }
        },
        THE_SAME_KEY(4) {
            @Override
            void write(HeaderOut out) {
                out.begin(0, COUNT);
                for (int i = 0; i < COUNT; i++) {
                    out.key("a", GgufType.UINT8).raw(new byte[1]);
                }
            }
        },
        TENSORS(16) {
            @Override
            void write(HeaderOut out) {
                out.begin(COUNT, 0);
                for (int i = 0; i < COUNT; i++) {
                    out.tensor(Integer.toString(i, Character.MAX_RADIX), 32L * i);
                }
                out.raw(new byte[32 * COUNT]);
            }
        },
        TENSORS_WITHOUT_DATA(16) {
            @Override
            void write(HeaderOut out) {
                out.begin(COUNT, 0);
                for (int i = 0; i < COUNT; i++) {
                    out.tensor(Integer.toString(i, Character.MAX_RADIX), 1L + i);
                }
            }
        };

        static final int COUNT = 50_000;

        /** What may be allocated for each byte. */
        final int most;

        Costly(int most) {
            this.most = most;
        }

        abstract void write(HeaderOut out);
    }

    @ParameterizedTest
    @EnumSource
    void everyByteOfAFileCostsAFew(Costly header) throws IOException {
        HeaderOut out = new HeaderOut();
        header.write(out);
        Path file = Files.write(folder.resolve("costly.gguf"), out.bytes());
        long size = Files.size(file);

        assertThat(allocated(file)).isLessThan(BASE_BYTES + READINGS * header.most * size);
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 20, 1L << 32, 1L << 60, Long.MAX_VALUE, -1})
    void whatAFileClaimsCostsNothing(long count) throws IOException {
        for (HeaderOut out : List.of(
                new HeaderOut().begin(count, 0),
                new HeaderOut().begin(0, count),
                new HeaderOut().begin(0, 1).u64(count),
                new HeaderOut().begin(0, 1).key("a", GgufType.STRING).u64(count),
                new HeaderOut()
                        .begin(0, 1)
                        .key("a", GgufType.ARRAY)
                        .u32(GgufType.UINT8.ordinal())
                        .u64(count),
                new HeaderOut()
                        .begin(0, 1)
                        .key("a", GgufType.ARRAY)
                        .u32(GgufType.STRING.ordinal())
                        .u64(count),
                new HeaderOut().begin(1, 0).u64(count))) {
            Path file = Files.write(
                    folder.resolve("claim.gguf"), out.raw(new byte[100]).bytes());

            assertThat(allocated(file)).isLessThan(BASE_BYTES);
        }
    }

    /** A file may have as many bytes as it claims: zeros that take no room on the disk. */
    @Test
    void metadataHasALimitThatIsKnownBeforeItIsRead() throws IOException {
        HeaderOut out = new HeaderOut().begin(0, 1).key("a", GgufType.ARRAY).u32(GgufType.STRING.ordinal());
        Path file =
                Files.write(folder.resolve("sparse.gguf"), out.u64(100_000_000).bytes());
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1L << 30);
        }

        assertThat(allocated(file)).isLessThan(BASE_BYTES);
        assertThat(GgufValidator.check(file))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("more than 256 MiB"));
    }

    /** The lesser of two, since code allocates for itself when it runs for the first time. */
    private static long allocated(Path file) throws IOException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 2; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            GgufValidator.check(file);
            try {
                GgufFile.open(file);
            } catch (GgufException e) {
                // the files are damaged, most of them
            }
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }

    /** Writes headers of any size. */
    private static final class HeaderOut {

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        HeaderOut begin(long tensors, long keys) {
            return raw("GGUF".getBytes(StandardCharsets.UTF_8))
                    .u32(3)
                    .u64(tensors)
                    .u64(keys);
        }

        HeaderOut key(String key, GgufType type) {
            return text(key).u32(type.ordinal());
        }

        /** A single number. */
        HeaderOut tensor(String name, long offset) {
            return text(name).u32(0).u32(GgmlType.F32.id()).u64(offset);
        }

        HeaderOut text(String text) {
            return u64(text.length()).raw(text.getBytes(StandardCharsets.UTF_8));
        }

        HeaderOut u32(int value) {
            return raw(little(Integer.BYTES).putInt(value).array());
        }

        HeaderOut u64(long value) {
            return raw(little(Long.BYTES).putLong(value).array());
        }

        HeaderOut raw(byte[] bytes) {
            out.writeBytes(bytes);
            return this;
        }

        byte[] bytes() {
            return out.toByteArray();
        }

        private static ByteBuffer little(int bytes) {
            return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }
    }
}
