package org.panallama;

/** What sort of hardware a device is. */
public enum DeviceKind {
    /** The processor, using system memory. */
    CPU(0),

    /** A graphics processor with memory of its own. */
    GPU(1),

    /** A graphics processor that shares system memory. */
    INTEGRATED_GPU(2),

    /** A helper of the CPU, for example BLAS or AMX. */
    ACCELERATOR(3),

    /** A device that stands for several others. */
    META(4);

    private final int code;

    DeviceKind(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }

    static DeviceKind of(int code) {
        for (DeviceKind value : values()) {
            if (value.code == code) {
                return value;
            }
        }
        return ACCELERATOR;
    }
}
