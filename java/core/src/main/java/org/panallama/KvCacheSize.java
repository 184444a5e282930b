package org.panallama;

import java.util.Map;
import java.util.OptionalInt;

/** Memory of the KV cache of a transformer, from its metadata. */
public final class KvCacheSize {

    private KvCacheSize() {}

    /**
     * Bytes of the keys and values of a context. An upper bound where layers have a window or a recurrent state.
     *
     * @param metadata entries as {@link Model#metadata()} gives them
     * @param length tokens in the context
     * @param keys format of the keys
     * @param values format of the values
     * @return 0 if the metadata does not say enough
     */
    public static long bytes(Map<String, String> metadata, long length, TensorType keys, TensorType values) {
        String arch = metadata.getOrDefault("general.architecture", "") + ".";
        long layers = number(metadata, arch + "block_count", 0);
        long heads = number(metadata, arch + "attention.head_count", 0);
        long kvHeads = number(metadata, arch + "attention.head_count_kv", heads);
        long width = number(metadata, arch + "embedding_length", 0);
        if (layers <= 0 || heads <= 0 || kvHeads <= 0 || width <= 0) {
            return 0;
        }
        long keyLength = number(metadata, arch + "attention.key_length", width / heads);
        long valueLength = number(metadata, arch + "attention.value_length", width / heads);
        long padded = (length + 255) / 256 * 256; // llama.cpp rounds up
        return layers * padded * (rowBytes(keys, keyLength * kvHeads) + rowBytes(values, valueLength * kvHeads));
    }

    private static long rowBytes(TensorType type, long elements) {
        return (elements + type.blockSize() - 1) / type.blockSize() * type.typeSize();
    }

    /** A number of the metadata; one that differs between layers is an array there, which llama.cpp does not list. */
    private static long number(Map<String, String> metadata, String key, long otherwise) {
        OptionalInt value = MetadataNumbers.find(metadata, key);
        return value.isPresent() ? value.getAsInt() : otherwise;
    }
}
