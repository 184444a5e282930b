package org.panallama.tools.lora;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A matrix of the base with what adapters change in it. It keeps the smaller halves of low-rank changes in memory. */
final class MergedMatrix implements Matrix {

    private record Term(Change.Addition addition, LowRankProduct product) {}

    private final Matrix base;
    private final List<Change.Replacement> replacements = new ArrayList<>();
    private final List<Term> terms = new ArrayList<>();

    MergedMatrix(Matrix base, List<Change> changes) {
        this.base = base;
        for (Change change : changes) {
            if (change instanceof Change.Replacement replacement) {
                replacements.add(replacement);
            } else if (change instanceof Change.Addition addition) {
                terms.add(new Term(addition, new LowRankProduct(addition.pair(), addition.weight())));
            }
        }
    }

    @Override
    public long rows() {
        return base.rows();
    }

    @Override
    public int columns() {
        return base.columns();
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        // A single replacement at full weight is exact only if the base does not take part.
        if (replacements.size() == 1
                && replacements.get(0).weight() == 1
                && replacements.get(0).rows() == rows()) {
            replacements.get(0).saved().read(row, count, target, start);
        } else {
            base.read(row, count, target, start);
            replace(row, count, target, start);
        }
        for (Term term : terms) {
            long first = Math.max(row, term.addition().firstRow());
            long end = Math.min(
                    row + count, term.addition().firstRow() + term.addition().rows());
            if (first < end) {
                int at = start + (int) (first - row) * columns();
                term.product().addTo(first - term.addition().firstRow(), (int) (end - first), target, at);
            }
        }
    }

    /** Every replacement is measured from the base, so that their order does not matter. */
    private void replace(long row, int count, float[] target, int start) {
        if (replacements.isEmpty()) {
            return;
        }
        float[] original = Arrays.copyOfRange(target, start, start + count * columns());
        for (Change.Replacement replacement : replacements) {
            long first = Math.max(row, replacement.firstRow());
            long end = Math.min(row + count, replacement.firstRow() + replacement.rows());
            if (first >= end) {
                continue;
            }
            float[] saved = new float[(int) (end - first) * columns()];
            replacement.saved().read(first - replacement.firstRow(), (int) (end - first), saved, 0);
            int offset = (int) (first - row) * columns();
            for (int i = 0; i < saved.length; i++) {
                target[start + offset + i] += replacement.weight() * (saved[i] - original[offset + i]);
            }
        }
    }
}
