package org.panallama.natives;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.panallama.natives.SharedLibrary.Version;

/** 64-bit Mach-O of one architecture, by mach-o/loader.h. */
final class MachOFile {

    static final int MAGIC = 0xfeedfacf;

    private static final int X86_64 = 0x01000007;
    private static final int ARM_64 = 0x0100000c;
    private static final int DYNAMIC_LIBRARY = 6;
    private static final int BUNDLE = 8;
    private static final int LOAD_LIBRARY = 0x0c;
    private static final int LOAD_WEAK_LIBRARY = 0x80000018;
    private static final int REEXPORT_LIBRARY = 0x8000001f;
    private static final int RPATH = 0x8000001c;
    private static final int BUILD_VERSION = 0x32;
    private static final int OLDEST_MACOS = 0x24;

    private MachOFile() {}

    static SharedLibrary read(ByteBuffer bytes) {
        String architecture = switch (bytes.getInt(4)) {
            case X86_64 -> "x86_64";
            case ARM_64 -> "aarch_64";
            default -> "processor " + bytes.getInt(4);
        };
        int type = bytes.getInt(12);
        if (type != DYNAMIC_LIBRARY && type != BUNDLE) {
            architecture += ", which is no library";
        }
        List<String> needed = new ArrayList<>();
        List<String> searchPath = new ArrayList<>();
        Version system = Version.NONE;
        int command = 32;
        for (int i = 0; i < bytes.getInt(16); i++, command += bytes.getInt(command + 4)) {
            switch (bytes.getInt(command)) {
                case LOAD_LIBRARY, LOAD_WEAK_LIBRARY, REEXPORT_LIBRARY -> needed.add(text(bytes, command));
                case RPATH -> searchPath.add(text(bytes, command));
                case BUILD_VERSION -> system = version(bytes.getInt(command + 12));
                case OLDEST_MACOS -> system = version(bytes.getInt(command + 8));
                default -> {}
            }
        }
        return new SharedLibrary("Mach-O", architecture, needed, searchPath, system);
    }

    private static String text(ByteBuffer bytes, int command) {
        return SharedLibrary.text(bytes, command + bytes.getInt(command + 8));
    }

    private static Version version(int packed) {
        return new Version(packed >>> 16, (packed >>> 8) & 0xff);
    }
}
