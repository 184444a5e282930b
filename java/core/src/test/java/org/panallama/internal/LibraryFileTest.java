package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LibraryFileTest {

    /** Of a library with one part, 100 bytes that begin at 4000, as the three systems write it. */
    enum Format {
        ELF {
            @Override
            void write(ByteBuffer file, boolean arm) {
                file.putInt(0, 0x464c457f).put(4, (byte) 2).putShort(18, (short) (arm ? 183 : 62));
                file.putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 1);
                file.putLong(64 + 8, 4000).putLong(64 + 32, 100);
            }
        },
        MACH_O {
            @Override
            void write(ByteBuffer file, boolean arm) {
                file.putInt(0, 0xfeedfacf).putInt(4, arm ? 0x0100000c : 0x01000007);
                file.putInt(16, 1).putInt(20, 72);
                file.putInt(32, 0x19).putInt(36, 72).putLong(32 + 40, 4000).putLong(32 + 48, 100);
            }
        },
        PE {
            @Override
            void write(ByteBuffer file, boolean arm) {
                file.putShort(0, (short) 0x5a4d).putInt(60, 128);
                file.putInt(128, 0x4550)
                        .putShort(132, (short) (arm ? 0xaa64 : 0x8664))
                        .putShort(134, (short) 1)
                        .putShort(148, (short) 240);
                file.putInt(128 + 24 + 240 + 16, 100).putInt(128 + 24 + 240 + 20, 4000);
            }
        };

        abstract void write(ByteBuffer file, boolean arm);

        byte[] library(boolean arm) {
            ByteBuffer file = ByteBuffer.allocate(4100).order(ByteOrder.LITTLE_ENDIAN);
            write(file, arm);
            return file.array();
        }
    }

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void passesWholeLibrariesOfItsProcessor(Format format) {
        assertThatCode(check(format.library(false), "x86_64")).doesNotThrowAnyException();
        assertThatCode(check(format.library(true), "aarch_64")).doesNotThrowAnyException();
        assertThatCode(check(format.library(true), "riscv64"))
                .as("a processor that is not known here")
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @EnumSource
    void refusesThoseOfAnotherProcessor(Format format) {
        assertThatThrownBy(check(format.library(true), "x86_64"))
                .isInstanceOf(NativeLookupException.class)
                .hasMessageStartingWith(folder.resolve("library").toString())
                .hasMessageContaining("is for aarch_64, and this JVM runs on x86_64");
    }

    @ParameterizedTest
    @EnumSource
    void refusesWhatIsCutAnywhere(Format format) {
        byte[] whole = format.library(false);
        for (int length = 0; length < whole.length; length += length < 500 ? 7 : 300) {
            assertThatThrownBy(check(Arrays.copyOf(whole, length), "x86_64"))
                    .as(length + " bytes")
                    .isInstanceOf(NativeLookupException.class)
                    .hasMessageContaining(length < 4 ? "is cut" : "is ");
        }
        assertThatThrownBy(check(Arrays.copyOf(whole, 4099), "x86_64"))
                .hasMessageContaining("is cut: its headers tell of bytes 4000 to 4100, and it has 4099");
    }

    /** Numbers of any size in the headers lead to that one exception, or to none. */
    @ParameterizedTest
    @EnumSource
    void survivesDamagedHeaders(Format format) {
        Random random = new Random(42);
        for (int i = 0; i < 500; i++) {
            byte[] damaged = format.library(false);
            for (int byteOfMany = 0; byteOfMany < 4; byteOfMany++) {
                damaged[4 + random.nextInt(500)] = (byte) random.nextInt();
            }
            try {
                check(damaged, "x86_64").call();
            } catch (NativeLookupException expected) {
                // Said so.
            } catch (Throwable e) {
                throw new AssertionError("damage " + i, e);
            }
        }
    }

    @Test
    void findsItsPartOfAUniversalLibrary() {
        byte[] part = Format.MACH_O.library(true);
        ByteBuffer file = ByteBuffer.allocate(64 + part.length);
        file.putInt(0, 0xcafebabe).putInt(4, 1);
        file.putInt(8, 0x0100000c).putInt(16, 64).putInt(20, part.length);
        file.put(64, part);
        assertThatCode(check(file.array(), "aarch_64")).doesNotThrowAnyException();
        assertThatThrownBy(check(file.array(), "x86_64"))
                .hasMessageContaining("has no part for this JVM's processor, x86_64");
        assertThatThrownBy(check(Arrays.copyOf(file.array(), 4000), "aarch_64")).hasMessageContaining("is cut");
    }

    @Test
    void refusesWhatIsNoLibrary() {
        assertThatThrownBy(check("version https://git-lfs.github.com/spec/v1".getBytes(), "x86_64"))
                .hasMessageContaining("is no library. Copy or build it again");
        assertThatThrownBy(() -> LibraryFile.check(folder, "x86_64")).hasMessageContaining("cannot be read");
        assertThatThrownBy(() -> LibraryFile.check(folder.resolve("dangling"), "x86_64"))
                .hasMessageContaining("cannot be read");
    }

    private ThrowingCallable check(byte[] content, String architecture) {
        return () -> LibraryFile.check(write(content), architecture);
    }

    private Path write(byte[] content) throws IOException {
        return Files.write(folder.resolve("library"), content);
    }
}
