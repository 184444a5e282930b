package org.panallama;

/** How the file's tensors come into memory. */
public enum LoadMode {
    /** Memory-mapped where the devices allow it. */
    AUTO(-1),

    /** Read into memory of the process. */
    READ(0),

    /** Memory-mapped: pages are shared with other processes and loaded on first use. */
    MMAP(1),

    /** Read into memory and locked there. */
    MLOCK(2),

    /** Memory-mapped and locked, so that it is never swapped out. */
    MMAP_MLOCK(3),

    /** Read past the page cache, where the file system supports it. */
    DIRECT_IO(4);

    private final int code;

    LoadMode(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }
}
