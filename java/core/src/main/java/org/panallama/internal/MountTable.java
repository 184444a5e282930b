package org.panallama.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Linux's table of mounted filesystems, asked whether libraries may be loaded from a folder. */
final class MountTable {

    /** Of this process. Absent on other systems, where nothing is taken for {@code noexec}. */
    static final Path OF_THIS_PROCESS = Path.of("/proc/self/mounts");

    private static final Pattern OCTAL = Pattern.compile("\\\\([0-7]{3})");

    private final Path table;

    MountTable(Path table) {
        this.table = table;
    }

    /**
     * Whether the filesystem of an existing folder is mounted {@code noexec}, so that the system refuses to load libraries
     * from it. False where that is not known.
     */
    boolean forbidsExecution(Path folder) {
        List<String> lines;
        Path real;
        try {
            real = folder.toRealPath();
            lines = Files.readAllLines(table, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return false;
        }
        String options = "";
        int depth = -1;
        for (String line : lines) {
            // device, mount point, type, options, and two numbers
            String[] fields = line.split(" ");
            if (fields.length < 4) {
                continue;
            }
            Path point = Path.of(unescape(fields[1]));
            // Of several mounts on one point, the last one hides the others.
            if (real.startsWith(point) && point.getNameCount() >= depth) {
                depth = point.getNameCount();
                options = fields[3];
            }
        }
        return Arrays.asList(options.split(",")).contains("noexec");
    }

    /** Blanks, tabs, newlines and backslashes are written in octal. */
    private static String unescape(String field) {
        return OCTAL.matcher(field).replaceAll(MountTable::unescapeOne);
    }

    private static String unescapeOne(MatchResult octal) {
        char character = (char) Integer.parseInt(octal.group(1), 8);
        return character == '\\' ? "\\\\" : String.valueOf(character);
    }
}
