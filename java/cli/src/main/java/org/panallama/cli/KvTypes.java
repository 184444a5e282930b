package org.panallama.cli;

import java.util.Locale;
import org.panallama.TensorType;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Number formats of the KV cache.
 *
 * @param keys of the keys
 * @param values of the values
 */
record KvTypes(TensorType keys, TensorType values) {

    static final String DEFAULT = "f16";

    /** Reads {@code q8_0}, or {@code q8_0,q4_0} for keys and values. */
    static final class Converter implements ITypeConverter<KvTypes> {

        @Override
        public KvTypes convert(String text) {
            String[] names = text.split(",", -1);
            if (names.length > 2) {
                throw new TypeConversionException("'" + text + "' names more than two types");
            }
            TensorType keys = type(names[0]);
            return new KvTypes(keys, names.length == 1 ? keys : type(names[1]));
        }

        private static TensorType type(String name) {
            try {
                return TensorType.valueOf(name.strip().toUpperCase(Locale.ROOT));
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException("'" + name
                        + "' is no number format of a KV cache, as are f32, f16, bf16, q8_0, q5_1, q5_0, q4_1,"
                        + " q4_0, iq4_nl");
            }
        }
    }

    @Override
    public String toString() {
        return keys == values ? keys.toString() : keys + " and " + values;
    }
}
