package org.panallama;

/** How llama.cpp places its threads on a machine with several memory nodes. */
public enum NumaStrategy {
    /** It does not care. */
    DISABLED(0),

    /** Spreads threads evenly over the nodes. */
    DISTRIBUTE(1),

    /** Keeps threads on the node that the process started on. */
    ISOLATE(2),

    /** Keeps to the CPU map that {@code numactl} set. */
    NUMACTL(3);

    private final int code;

    NumaStrategy(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }
}
