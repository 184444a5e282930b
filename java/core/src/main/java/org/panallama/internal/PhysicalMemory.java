package org.panallama.internal;

import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;

/** The machine's memory, or the container's where it has a limit. */
public final class PhysicalMemory {

    private PhysicalMemory() {}

    /** All memory in bytes; {@link Long#MAX_VALUE} if this JVM does not tell. */
    public static long totalBytes() {
        OperatingSystemMXBean system = ManagementFactory.getOperatingSystemMXBean();
        return system instanceof com.sun.management.OperatingSystemMXBean sun
                ? sun.getTotalMemorySize()
                : Long.MAX_VALUE;
    }
}
