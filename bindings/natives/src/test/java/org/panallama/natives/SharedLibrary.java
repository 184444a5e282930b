package org.panallama.natives;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * What the headers of a shared library say, of Linux (ELF), macOS (Mach-O) or Windows (PE), whatever this machine is.
 *
 * @param format {@code ELF}, {@code Mach-O} or {@code PE}
 * @param architecture {@code x86_64} or {@code aarch_64}, else the number that the header holds
 * @param needed the libraries that the loader loads with it, as it names them
 * @param searchPath where it looks for them beside the system's places; empty on Windows, which looks where the program lies
 * @param system the version of glibc, macOS or Windows that it needs
 */
record SharedLibrary(String format, String architecture, List<String> needed, List<String> searchPath, Version system) {

    /** Two numbers that compare one after the other. */
    record Version(int major, int minor) implements Comparable<Version> {

        static final Version NONE = new Version(0, 0);

        @Override
        public int compareTo(Version other) {
            return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
        }

        Version max(Version other) {
            return compareTo(other) >= 0 ? this : other;
        }
    }

    /**
     * @throws IOException if the file is none of the three, or is cut
     */
    static SharedLibrary read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                    .order(ByteOrder.LITTLE_ENDIAN);
            int magic = bytes.getInt(0);
            if (magic == ElfFile.MAGIC) {
                return ElfFile.read(bytes);
            }
            if (magic == MachOFile.MAGIC) {
                return MachOFile.read(bytes);
            }
            if ((magic & 0xffff) == PeFile.MAGIC) {
                return PeFile.read(bytes);
            }
        } catch (IndexOutOfBoundsException e) {
            throw new IOException(file + " is cut, or its headers lead out of it", e);
        }
        throw new IOException(file + " is no library that is known here");
    }

    /** The text at the position, which a zero byte ends. */
    static String text(ByteBuffer bytes, int position) {
        int end = position;
        while (bytes.get(end) != 0) {
            end++;
        }
        byte[] text = new byte[end - position];
        bytes.get(position, text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
