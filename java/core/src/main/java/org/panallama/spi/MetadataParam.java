package org.panallama.spi;

/**
 * {@code llama_model_kv_override}.
 *
 * @param key at most 127 UTF-8 bytes
 * @param tag a {@code llama_model_kv_override_type}: 0 {@code integer}, 1 {@code real}, 2 {@code flag}, 3 {@code text}
 * @param text at most 127 UTF-8 bytes
 */
public record MetadataParam(String key, int tag, long integer, double real, boolean flag, String text) {}
