package org.panallama.natives;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.panallama.natives.SharedLibrary.Version;

/** PE32+, by Microsoft's "PE Format". */
final class PeFile {

    static final int MAGIC = 0x5a4d;

    private static final int SIGNATURE = 0x4550;
    private static final int DLL = 0x2000;
    private static final int PE32_PLUS = 0x20b;
    private static final int IMPORT_SIZE = 20;

    private final ByteBuffer bytes;
    private final int header;

    private PeFile(ByteBuffer bytes) {
        this.bytes = bytes;
        this.header = bytes.getInt(0x3c);
    }

    static SharedLibrary read(ByteBuffer bytes) {
        PeFile file = new PeFile(bytes);
        int header = file.header;
        int machine = bytes.getShort(header + 4) & 0xffff;
        String architecture = switch (machine) {
            case 0x8664 -> "x86_64";
            case 0xaa64 -> "aarch_64";
            default -> "machine " + machine;
        };
        int optional = header + 24;
        if (bytes.getInt(header) != SIGNATURE
                || (bytes.getShort(header + 22) & DLL) == 0
                || bytes.getShort(optional) != PE32_PLUS) {
            architecture += ", which is no 64-bit DLL";
        }
        Version system = new Version(bytes.getShort(optional + 48), bytes.getShort(optional + 50));
        return new SharedLibrary("PE", architecture, file.imports(bytes.getInt(optional + 120)), List.of(), system);
    }

    private List<String> imports(int table) {
        List<String> names = new ArrayList<>();
        if (table == 0) {
            return names;
        }
        int entry = positionOf(table);
        while (bytes.getInt(entry + 12) != 0) {
            names.add(SharedLibrary.text(bytes, positionOf(bytes.getInt(entry + 12))));
            entry += IMPORT_SIZE;
        }
        return names;
    }

    /** Where in the file the relative virtual address is loaded from. */
    private int positionOf(int address) {
        int section = header + 24 + bytes.getShort(header + 20);
        for (int i = 0; i < bytes.getShort(header + 6); i++, section += 40) {
            int first = bytes.getInt(section + 12);
            if (address >= first && address < first + bytes.getInt(section + 16)) {
                return address - first + bytes.getInt(section + 20);
            }
        }
        throw new IndexOutOfBoundsException("no section holds the address " + address);
    }
}
