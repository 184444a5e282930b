package org.panallama.tools.convert;

import java.util.List;
import java.util.Locale;

/** A model's size as people write it: 8x7B for eight experts that make, one at a time, a model of 7 billion parameters. */
final class SizeLabel {

    private static final String[] UNITS = {"K", "M", "B", "T"};

    private SizeLabel() {}

    static String of(List<PlannedTensor> tensors) {
        long total = 0;
        long otherExperts = 0;
        long experts = 0;
        for (PlannedTensor tensor : tensors) {
            long elements = tensor.tensor().elements();
            total += elements;
            if (tensor.name().contains("_exps.")) {
                experts = tensor.tensor().dimension(2);
                otherExperts += elements - elements / experts;
            }
        }
        return experts == 0 ? rounded(total) : experts + "x" + rounded(total - otherExperts);
    }

    /** At least two digits. */
    private static String rounded(long parameters) {
        double value = parameters / 1e3;
        int unit = 0;
        while (value > 1e3 && unit < UNITS.length - 1) {
            value /= 1e3;
            unit++;
        }
        int digits = value < 0.5 ? 0 : Long.toString(Math.round(value)).length();
        return String.format(Locale.ROOT, "%." + Math.max(2 - digits, 0) + "f%s", value, UNITS[unit]);
    }
}
