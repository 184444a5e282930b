package org.panallama.gguf;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Checks the lines of the tensor list against each other and against the file's size. */
final class TensorRules {

    /** A tensor and where its data lies, in bytes from the start of the data section. */
    record Placed(GgufTensor tensor, long offset, long at) {}

    private final HeaderReader header;
    private final Findings findings;
    private final List<Placed> placed = new ArrayList<>();

    TensorRules(HeaderReader header, Findings findings) {
        this.header = header;
        this.findings = findings;
    }

    /** Returns the tensors with a known size, in the order of the list. */
    List<Placed> check() throws IOException {
        Set<String> names = new HashSet<>();
        for (HeaderReader.Line line : header.lines()) {
            if (findings.isFull()) {
                break;
            }
            if (!names.add(line.name())) {
                findings.damage(line.at(), "tensor '" + line.name() + "' appears twice");
            }
            if (line.nameBytes() > GgufTensor.MAX_NAME_BYTES) {
                findings.unloadable(
                        line.at(),
                        "the name of tensor '" + line.name() + "' takes " + line.nameBytes()
                                + " bytes, llama.cpp has room for " + GgufTensor.MAX_NAME_BYTES);
            }
            try {
                GgufTensor tensor = GgufTensor.of(line.name(), GgmlType.of(line.type()), line.shape());
                checkOffset(line);
                placed.add(new Placed(tensor, line.offset(), line.at()));
            } catch (IllegalArgumentException e) {
                String prefix = "tensor '" + line.name() + "'";
                String why = String.valueOf(e.getMessage());
                findings.damage(line.at(), why.startsWith(prefix) ? why : prefix + ": " + why);
            }
        }
        // Where the list is cut off, so is everything behind it, and the cut was reported.
        if (header.isComplete()) {
            checkOverlaps();
            checkOrder();
            checkEnd();
        }
        return placed;
    }

    private void checkOffset(HeaderReader.Line line) throws IOException {
        if (line.offset() % header.alignment() != 0) {
            findings.damage(
                    line.at(),
                    "the data of tensor '" + line.name() + "' begins at offset "
                            + Long.toUnsignedString(line.offset()) + " of the data section, not a multiple of the "
                            + "alignment " + header.alignment());
        }
    }

    private void checkOverlaps() throws IOException {
        List<Placed> sorted = new ArrayList<>(placed);
        sorted.sort((a, b) -> Long.compareUnsigned(a.offset(), b.offset()));
        for (int i = 1; i < sorted.size(); i++) {
            Placed before = sorted.get(i - 1);
            Placed next = sorted.get(i);
            if (Long.compareUnsigned(before.offset() + before.tensor().bytes(), next.offset()) > 0) {
                findings.damage(
                        next.at(),
                        "the data of tensor '" + next.tensor().name() + "' at offset "
                                + Long.toUnsignedString(next.offset()) + " overlaps that of tensor '"
                                + before.tensor().name() + "', which has "
                                + before.tensor().bytes()
                                + " bytes from offset " + before.offset());
            }
        }
    }

    /** llama.cpp wants each tensor right behind the one before it in the list. */
    private void checkOrder() {
        long expected = 0;
        for (Placed p : placed) {
            if (p.offset() != expected && placed.size() == header.lines().size()) {
                findings.unloadable(
                        p.at(),
                        "the data of tensor '" + p.tensor().name() + "' is at offset "
                                + Long.toUnsignedString(p.offset()) + "; llama.cpp wants it at " + expected
                                + ", right behind the tensor before it in the list");
                return;
            }
            expected = p.offset() + padded(p.tensor().bytes());
        }
    }

    private void checkEnd() throws IOException {
        long size = header.size();
        long start = header.dataOffset();
        List<Placed> cut = placed.stream()
                .filter(p -> !fits(p, start, size))
                .sorted((a, b) -> Long.compareUnsigned(a.offset(), b.offset()))
                .toList();
        if (!cut.isEmpty()) {
            GgufTensor first = cut.get(0).tensor();
            findings.damage(
                    size,
                    "the file is cut off in its tensor data: '" + first.name() + "' needs " + first.bytes()
                            + " bytes from byte "
                            + Long.toUnsignedString(start + cut.get(0).offset())
                            + (cut.size() > 1 ? ", and " + (cut.size() - 1) + " more tensors are incomplete" : "")
                            + "; download or copy it again");
            return;
        }
        long end = placed.stream()
                .max(Comparator.comparingLong(Placed::offset))
                .map(p -> start + p.offset() + padded(p.tensor().bytes()))
                .orElse(start);
        // A file without tensors may be padded as if it had some.
        if (placed.isEmpty()) {
            end = Header.aligned(end, header.alignment());
        }
        if (size > end && placed.size() == header.lines().size()) {
            findings.suspicious(end, (size - end) + " bytes follow behind the last tensor's data");
        }
    }

    private static boolean fits(Placed p, long start, long size) {
        return p.offset() >= 0
                && p.tensor().bytes() <= size
                && start <= size - p.tensor().bytes() - p.offset();
    }

    private long padded(long bytes) {
        return Header.aligned(bytes, header.alignment());
    }
}
