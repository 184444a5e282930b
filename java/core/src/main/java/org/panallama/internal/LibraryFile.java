package org.panallama.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A file that is to be loaded as a library, looked through before the system's loader does. That one maps the file as its
 * headers say, and where a part is missing, the first touch of it ends the process.
 *
 * <p>By the System V ABI (ELF), Apple's mach-o/loader.h and mach-o/fat.h, and Microsoft's PE format.
 */
final class LibraryFile {

    private static final int ELF = 0x464c457f;
    private static final int MACH_O = 0xfeedfacf;
    private static final int MACH_O_UNIVERSAL = 0xbebafeca;
    private static final int MACH_O_SEGMENT = 0x19;
    private static final int PE = 0x5a4d;
    private static final int PE_SIGNATURE = 0x4550;

    /** Headers of libraries take some kilobytes; a count that leads further is a damaged one. */
    private static final int HEADERS = 1 << 20;

    private final FileChannel channel;
    private final long size;
    private final String architecture;

    private LibraryFile(FileChannel channel, String architecture) throws IOException {
        this.channel = channel;
        this.size = channel.size();
        this.architecture = architecture;
    }

    /**
     * @param architecture that of this JVM, as {@link Platform} names it; one that is not known here is not compared
     * @throws NativeLookupException if the file is no library, is cut, or is for another processor
     */
    static void check(Path file, String architecture) {
        try (FileChannel channel = FileChannel.open(file)) {
            new LibraryFile(channel, architecture).check();
        } catch (DamagedException e) {
            throw new NativeLookupException(file.toAbsolutePath() + " " + e.getMessage()
                    + ". Copy or build it again, whole and for this machine.");
        } catch (IOException e) {
            throw new NativeLookupException(file.toAbsolutePath() + " cannot be read: " + e);
        }
    }

    /** What is wrong with the file, as the end of a sentence that begins with its name. */
    private static final class DamagedException extends IOException {

        private static final long serialVersionUID = 1;

        DamagedException(String message) {
            super(message);
        }
    }

    private void check() throws IOException {
        int magic = read(0, 4).getInt(0);
        if (magic == ELF) {
            checkElf();
        } else if (magic == MACH_O) {
            checkMachO(0, size);
        } else if (magic == MACH_O_UNIVERSAL) {
            checkUniversal();
        } else if ((magic & 0xffff) == PE) {
            checkPe();
        } else {
            throw new DamagedException("is no library");
        }
    }

    private void checkElf() throws IOException {
        ByteBuffer header = read(0, 64);
        if (header.get(4) != 2) {
            throw new DamagedException("is a 32-bit library");
        }
        processor(Short.toUnsignedInt(header.getShort(18)), 62, 183);
        long programs = header.getLong(32);
        int programSize = header.getShort(54);
        int programCount = Short.toUnsignedInt(header.getShort(56));
        ByteBuffer table = table(programs, programSize, programCount, 56);
        for (int i = 0; i < programCount; i++) {
            within(table.getLong(i * programSize + 8), table.getLong(i * programSize + 32), size);
        }
        // The loader passes over these, but they stand at the end: whatever is cut off, they are.
        long sections = header.getLong(40);
        if (sections != 0) {
            within(sections, (long) header.getShort(58) * Short.toUnsignedInt(header.getShort(60)), size);
        }
    }

    private void checkMachO(long start, long end) throws IOException {
        ByteBuffer header = read(start, 32);
        processor(header.getInt(4), 0x01000007, 0x0100000c);
        int length = header.getInt(20);
        ByteBuffer commands = table(start + 32, length, 1, 0);
        int command = 0;
        for (int i = 0; i < header.getInt(16); i++) {
            within(command, 8, length);
            int commandSize = commands.getInt(command + 4);
            if (commandSize < 8) {
                throw new DamagedException("is damaged: a load command of " + commandSize + " bytes");
            }
            within(command, commandSize, length);
            if (commands.getInt(command) == MACH_O_SEGMENT) {
                within(command, 56, length);
                within(start + commands.getLong(command + 40), commands.getLong(command + 48), end);
            }
            command += commandSize;
        }
    }

    /** Several libraries in one file, each for another processor. The numbers are big-endian. */
    private void checkUniversal() throws IOException {
        int count = read(0, 8).order(ByteOrder.BIG_ENDIAN).getInt(4);
        ByteBuffer table = table(8, 20, count, 20).order(ByteOrder.BIG_ENDIAN);
        int wanted = architecture.equals("aarch_64") ? 0x0100000c : 0x01000007;
        for (int i = 0; i < count; i++) {
            if (table.getInt(i * 20) == wanted) {
                long start = Integer.toUnsignedLong(table.getInt(i * 20 + 8));
                long length = Integer.toUnsignedLong(table.getInt(i * 20 + 12));
                within(start, length, size);
                checkMachO(start, start + length);
                return;
            }
        }
        throw new DamagedException("has no part for this JVM's processor, " + architecture);
    }

    private void checkPe() throws IOException {
        long header = Integer.toUnsignedLong(read(60, 4).getInt(0));
        ByteBuffer coff = read(header, 24);
        if (coff.getInt(0) != PE_SIGNATURE) {
            throw new DamagedException("is no library");
        }
        processor(Short.toUnsignedInt(coff.getShort(4)), 0x8664, 0xaa64);
        int count = Short.toUnsignedInt(coff.getShort(6));
        ByteBuffer sections = table(header + 24 + Short.toUnsignedInt(coff.getShort(20)), 40, count, 40);
        for (int i = 0; i < count; i++) {
            within(
                    Integer.toUnsignedLong(sections.getInt(i * 40 + 20)),
                    Integer.toUnsignedLong(sections.getInt(i * 40 + 16)),
                    size);
        }
    }

    private void processor(int found, int x86, int arm) throws DamagedException {
        String name = found == x86 ? "x86_64" : found == arm ? "aarch_64" : "processor " + found;
        if (!name.equals(architecture) && (architecture.equals("x86_64") || architecture.equals("aarch_64"))) {
            throw new DamagedException("is for " + name + ", and this JVM runs on " + architecture);
        }
    }

    private void within(long position, long length, long end) throws DamagedException {
        if (position < 0 || length < 0 || position > end || length > end - position) {
            throw new DamagedException("is cut: its headers tell of bytes " + Long.toUnsignedString(position) + " to "
                    + Long.toUnsignedString(position + length) + ", and it has " + size);
        }
    }

    private ByteBuffer table(long position, int entrySize, int count, int smallest) throws IOException {
        long length = (long) entrySize * count;
        if (entrySize < smallest || length > HEADERS || length < 0) {
            throw new DamagedException("is damaged: a table of " + count + " entries of " + entrySize + " bytes");
        }
        return read(position, (int) length);
    }

    private ByteBuffer read(long position, int length) throws IOException {
        within(position, length, size);
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining() && channel.read(bytes, position + bytes.position()) >= 0) {
            // Reads on.
        }
        return bytes;
    }
}
