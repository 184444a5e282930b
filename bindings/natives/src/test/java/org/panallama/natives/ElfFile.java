package org.panallama.natives;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.panallama.natives.SharedLibrary.Version;

/** 64-bit ELF, by the System V ABI and, for the versions of symbols, the Linux Standard Base. */
final class ElfFile {

    static final int MAGIC = 0x464c457f;

    private static final int CLASS_64 = 2;
    private static final int SHARED_OBJECT = 3;
    private static final int LOADED_SEGMENT = 1;
    private static final int DYNAMIC_SEGMENT = 2;
    private static final long NEEDED = 1;
    private static final long STRINGS = 5;
    private static final long RPATH = 15;
    private static final long RUNPATH = 29;
    private static final long VERSIONS_NEEDED = 0x6ffffffe;
    private static final Pattern GLIBC = Pattern.compile("GLIBC_(\\d+)\\.(\\d+)(\\.\\d+)?");

    private final ByteBuffer bytes;
    private final List<int[]> dynamic = new ArrayList<>();

    private ElfFile(ByteBuffer bytes) {
        this.bytes = bytes;
        for (int header : segments(DYNAMIC_SEGMENT)) {
            int end = (int) (bytes.getLong(header + 8) + bytes.getLong(header + 32));
            for (int entry = (int) bytes.getLong(header + 8); entry < end; entry += 16) {
                dynamic.add(new int[] {(int) bytes.getLong(entry), (int) bytes.getLong(entry + 8)});
            }
        }
    }

    static SharedLibrary read(ByteBuffer bytes) {
        ElfFile file = new ElfFile(bytes);
        String architecture = switch (bytes.getShort(18)) {
            case 62 -> "x86_64";
            case 183 -> "aarch_64";
            default -> "machine " + bytes.getShort(18);
        };
        if (bytes.get(4) != CLASS_64 || bytes.getShort(16) != SHARED_OBJECT) {
            architecture += ", which is no 64-bit shared object";
        }
        List<String> searchPath = new ArrayList<>();
        for (long tag : new long[] {RPATH, RUNPATH}) {
            file.strings(tag).forEach(path -> searchPath.addAll(List.of(path.split(":"))));
        }
        return new SharedLibrary("ELF", architecture, file.strings(NEEDED), searchPath, file.glibc());
    }

    /** Positions of the headers of segments of the type. */
    private List<Integer> segments(int type) {
        List<Integer> found = new ArrayList<>();
        int position = (int) bytes.getLong(32);
        for (int i = 0; i < bytes.getShort(56); i++, position += bytes.getShort(54)) {
            if (bytes.getInt(position) == type) {
                found.add(position);
            }
        }
        return found;
    }

    private List<String> strings(long tag) {
        int table = positionOf(value(STRINGS));
        return dynamic.stream()
                .filter(entry -> entry[0] == tag)
                .map(entry -> SharedLibrary.text(bytes, table + entry[1]))
                .toList();
    }

    private int value(long tag) {
        return dynamic.stream()
                .filter(entry -> entry[0] == tag)
                .mapToInt(entry -> entry[1])
                .findFirst()
                .orElse(0);
    }

    /** Where in the file the address is loaded from. */
    private int positionOf(int address) {
        for (int header : segments(LOADED_SEGMENT)) {
            long first = bytes.getLong(header + 16);
            if (address >= first && address < first + bytes.getLong(header + 32)) {
                return (int) (address - first + bytes.getLong(header + 8));
            }
        }
        throw new IndexOutOfBoundsException("no segment holds the address " + address);
    }

    /** The newest version of glibc that a symbol is asked for. */
    private Version glibc() {
        Version newest = Version.NONE;
        if (value(VERSIONS_NEEDED) == 0) {
            return newest;
        }
        int table = positionOf(value(STRINGS));
        int library = positionOf(value(VERSIONS_NEEDED));
        while (true) {
            int version = library + bytes.getInt(library + 8);
            for (int i = 0; i < bytes.getShort(library + 2); i++) {
                Matcher name = GLIBC.matcher(SharedLibrary.text(bytes, table + bytes.getInt(version + 8)));
                if (name.matches()) {
                    newest = newest.max(new Version(Integer.parseInt(name.group(1)), Integer.parseInt(name.group(2))));
                }
                version += bytes.getInt(version + 12);
            }
            int next = bytes.getInt(library + 12);
            if (next == 0) {
                return newest;
            }
            library += next;
        }
    }
}
