package org.panallama.gguf;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Tells everything that is wrong with a file, where {@link GgufFile#open} stops at the first damage. */
public final class GgufValidator {

    private GgufValidator() {}

    /**
     * Checks all but the tensors' numbers, in time that does not depend on the size of the data.
     *
     * @param path a readable file
     * @return what was found, in the order of reading; empty for a sound file
     * @throws IOException if the file cannot be read
     */
    public static List<GgufFinding> check(Path path) throws IOException {
        Findings findings = Findings.lenient(path);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            HeaderReader header = new HeaderReader(channel, findings);
            try {
                header.read();
            } catch (GgufException e) {
                findings.add(new GgufFinding(GgufFinding.Severity.DAMAGE, e.offset(), e.problem()));
            }
            new TensorRules(header, findings).check();
        }
        return findings.list();
    }
}
