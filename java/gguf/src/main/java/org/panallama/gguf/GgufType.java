package org.panallama.gguf;

/** The types of metadata values; the ordinal is the number in the file. */
public enum GgufType {
    /** Unsigned 8-bit integer. */
    UINT8,
    /** Signed 8-bit integer. */
    INT8,
    /** Unsigned 16-bit integer. */
    UINT16,
    /** Signed 16-bit integer. */
    INT16,
    /** Unsigned 32-bit integer. */
    UINT32,
    /** Signed 32-bit integer. */
    INT32,
    /** Single-precision number. */
    FLOAT32,
    /** One byte, 0 or 1. */
    BOOL,
    /** Length-prefixed UTF-8. */
    STRING,
    /** Elements of one of the other types. */
    ARRAY,
    /** Unsigned 64-bit integer. */
    UINT64,
    /** Signed 64-bit integer. */
    INT64,
    /** Double-precision number. */
    FLOAT64
}
