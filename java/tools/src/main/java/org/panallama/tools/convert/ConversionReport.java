package org.panallama.tools.convert;

import java.util.List;

/**
 * What a conversion did.
 *
 * @param tensors how many were written
 * @param bytes size of their data
 * @param warnings what the user should know about the file: values too large for the format, what llama.cpp computes
 *     otherwise than the original
 */
public record ConversionReport(int tensors, long bytes, List<String> warnings) {

    /** Copies the list. */
    public ConversionReport {
        warnings = List.copyOf(warnings);
    }
}
