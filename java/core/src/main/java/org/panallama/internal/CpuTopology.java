package org.panallama.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** How many cores there are to compute on. A second hardware thread of a core does not make llama.cpp faster. */
public final class CpuTopology {

    private CpuTopology() {}

    /** Cores that this process may use; where the system does not tell, the JVM's count of processors. */
    public static int cores() {
        int processors = Runtime.getRuntime().availableProcessors();
        int physical = physicalCores(Path.of("/sys/devices/system/cpu"));
        return physical == 0 ? processors : Math.min(physical, processors);
    }

    /** Distinct cores listed below Linux's {@code /sys/devices/system/cpu}, or 0. */
    static int physicalCores(Path sys) {
        Set<String> cores = new HashSet<>();
        for (int cpu = 0; Files.isDirectory(sys.resolve("cpu" + cpu)); cpu++) {
            Path topology = sys.resolve("cpu" + cpu).resolve("topology");
            try {
                cores.add(Files.readString(topology.resolve("physical_package_id"))
                                .strip() + ":"
                        + Files.readString(topology.resolve("core_id")).strip());
            } catch (IOException e) {
                // An offline processor has no topology.
            }
        }
        return cores.size();
    }
}
