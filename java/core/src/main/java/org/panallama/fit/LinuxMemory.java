package org.panallama.fit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * Memory that a process can get on Linux: what the kernel estimates, and what the limits of its control groups leave (version 2,
 * or 1 as containers have it).
 *
 * @param proc {@code /proc}
 * @param groups {@code /sys/fs/cgroup}
 */
record LinuxMemory(Path proc, Path groups) {

    static LinuxMemory ofThisProcess() {
        return new LinuxMemory(Path.of("/proc"), Path.of("/sys/fs/cgroup"));
    }

    /** Empty on other systems. */
    OptionalLong availableBytes() {
        OptionalLong kernel = field(proc.resolve("meminfo"), "MemAvailable:");
        if (kernel.isEmpty()) {
            return OptionalLong.empty();
        }
        long available = kernel.getAsLong() * 1024;
        available =
                Math.min(available, left(groups.resolve("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"));
        String own = lines(proc.resolve("self/cgroup")).stream()
                .filter(line -> line.startsWith("0::/"))
                .map(line -> line.substring("0::/".length()))
                .findFirst()
                .orElse("");
        for (Path group = Path.of(own); group != null; group = group.getParent()) {
            available = Math.min(available, left(groups.resolve(group), "memory.max", "memory.current"));
        }
        return OptionalLong.of(Math.min(available, left(groups, "memory.max", "memory.current")));
    }

    /** What a group may still take; its page cache is given up when asked for. */
    private static long left(Path group, String limit, String usage) {
        OptionalLong most = number(group.resolve(limit));
        OptionalLong used = number(group.resolve(usage));
        if (most.isEmpty() || used.isEmpty()) {
            return Long.MAX_VALUE;
        }
        OptionalLong all = field(group.resolve("memory.stat"), "total_inactive_file");
        long cache = all.isPresent()
                ? all.getAsLong()
                : field(group.resolve("memory.stat"), "inactive_file").orElse(0);
        return Math.max(0, most.getAsLong() - used.getAsLong() + cache);
    }

    /** A file with one number; {@code max} is none. */
    private static OptionalLong number(Path file) {
        return lines(file).stream()
                .filter(line -> line.matches("\\d{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }

    private static OptionalLong field(Path file, String name) {
        return lines(file).stream()
                .map(line -> line.split("\\s+"))
                .filter(words -> words.length >= 2 && words[0].equals(name) && words[1].matches("\\d{1,18}"))
                .mapToLong(words -> Long.parseLong(words[1]))
                .findFirst();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of(); // not this system, not this kind of group
        }
    }
}
