package org.panallama.tools.lora;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Collects what of an adapter does not fit its base, so that one error tells all. */
final class Misfits {

    private static final int LISTED = 20;
    private static final String HEAD = "lm_head.weight";

    private final List<String> wrong = new ArrayList<>();
    private final TreeSet<String> unknown = new TreeSet<>();

    /** A tensor that the base has, but otherwise. */
    void add(String problem) {
        wrong.add(problem);
    }

    /** A tensor that the base has not. */
    void addUnknown(String name) {
        unknown.add(name);
    }

    /** Compares shapes. */
    boolean fits(String name, List<Long> adapters, List<Long> bases) {
        boolean fits = adapters.equals(bases);
        if (!fits) {
            wrong.add("'" + name + "' is " + bases + " in the base, the adapter is made for " + adapters);
        }
        return fits;
    }

    /**
     * Ends the collection.
     *
     * @throws LoraException if something was found
     */
    void refuse(Object adapter, Object base) {
        if (wrong.isEmpty() && unknown.isEmpty()) {
            return;
        }
        StringBuilder text = new StringBuilder("the adapter " + adapter + " does not fit the base " + base);
        wrong.stream().limit(LISTED).forEach(problem -> text.append("\n").append(problem));
        if (wrong.size() > LISTED) {
            text.append("\n… and ").append(wrong.size() - LISTED).append(" more");
        }
        if (!unknown.isEmpty()) {
            text.append("\nnot in the base (")
                    .append(unknown.size())
                    .append("): ")
                    .append(listed(List.copyOf(unknown)));
        }
        if (unknown.contains(HEAD)) {
            text.append("\n(without '" + HEAD + "' a model's output matrix is its embedding, and cannot be another)");
        }
        throw new LoraException(text.toString());
    }

    static void refuse(String problem, List<String> names) {
        if (!names.isEmpty()) {
            throw new LoraException(problem + " (" + names.size() + "): " + listed(names));
        }
    }

    private static String listed(List<String> names) {
        return String.join(", ", names.subList(0, Math.min(LISTED, names.size())))
                + (names.size() > LISTED ? ", …" : "");
    }
}
