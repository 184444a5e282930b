package org.panallama.gguf;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.function.DoublePredicate;

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
        try (FileChannel channel = GgufFile.openForReading(path)) {
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

    /**
     * Checks all, the tensors' numbers included: NaN and infinity among floating-point numbers and quantized blocks'
     * scales, as llama.cpp's own check of tensors does. It reads the whole file.
     *
     * @param path a readable file
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @return what was found, in the order of reading; empty for a sound file
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled
     * @throws IOException if the file cannot be read
     */
    public static List<GgufFinding> checkWithData(Path path, DoublePredicate progress) throws IOException {
        List<GgufFinding> header = check(path);
        if (header.stream().anyMatch(finding -> finding.severity() == GgufFinding.Severity.DAMAGE)) {
            return header;
        }
        Findings findings = Findings.lenient(path);
        header.forEach(findings::add);
        GgufFile file = GgufFile.open(path);
        Work work = Work.on(file.tensors(), progress);
        for (GgufTensor tensor : file.tensors()) {
            DataCheck.check(file, tensor, findings, work);
        }
        return findings.list();
    }
}
