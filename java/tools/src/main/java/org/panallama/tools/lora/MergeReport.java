package org.panallama.tools.lora;

import java.util.List;
import org.panallama.gguf.GgmlType;

/**
 * What a merge did.
 *
 * @param changed how many tensors of the base the adapters changed
 * @param tensors how many there are
 * @param bytes size of their data
 * @param warnings what the user should know about the result
 */
public record MergeReport(int changed, int tensors, long bytes, List<String> warnings) {

    /** Copies the list. */
    public MergeReport {
        warnings = List.copyOf(warnings);
    }

    static String overflow(String tensor, GgmlType type) {
        return "'" + tensor + "' has values that are infinite in " + type + ", whose largest number is 65504";
    }
}
