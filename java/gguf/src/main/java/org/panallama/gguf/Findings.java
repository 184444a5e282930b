package org.panallama.gguf;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.panallama.gguf.GgufFinding.Severity;

/** Receives what is wrong with a file: either throws at the first damage, or collects everything. */
final class Findings {

    // Of each severity. A file of random bytes could otherwise give as many findings as it has bytes.
    private static final int MAX = 1000;

    private final Path file;
    private final boolean strict;
    private final List<GgufFinding> list = new ArrayList<>();
    private final Map<Severity, Integer> counts = new EnumMap<>(Severity.class);

    private Findings(Path file, boolean strict) {
        this.file = file;
        this.strict = strict;
    }

    /** Throws at the first damage. */
    static Findings strict(Path file) {
        return new Findings(file, true);
    }

    /** Collects. */
    static Findings lenient(Path file) {
        return new Findings(file, false);
    }

    Path file() {
        return file;
    }

    List<GgufFinding> list() {
        return List.copyOf(list);
    }

    /** Reports damage behind which reading can go on. */
    void damage(long offset, String message) throws GgufException {
        if (strict) {
            throw fatal(offset, message);
        }
        add(new GgufFinding(Severity.DAMAGE, offset, message));
    }

    void unloadable(long offset, String message) {
        add(new GgufFinding(Severity.UNLOADABLE, offset, message));
    }

    void suspicious(long offset, String message) {
        add(new GgufFinding(Severity.SUSPICIOUS, offset, message));
    }

    /** Returns what to throw at damage behind which nothing can be understood. */
    GgufException fatal(long offset, String message) {
        return new GgufException(file, offset, message);
    }

    /** Whether no more damage will be kept. */
    boolean isFull() {
        return counts.getOrDefault(Severity.DAMAGE, 0) >= MAX;
    }

    void add(GgufFinding finding) {
        if (counts.merge(finding.severity(), 1, Integer::sum) <= MAX) {
            list.add(finding);
        }
    }
}
