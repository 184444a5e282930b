import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.Collectors;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Generation;
import org.panallama.GenerationOptions;
import org.panallama.Model;
import org.panallama.Sampler;

/**
 * Greedy decoding as a user of the Java API writes it; benchmarks/native/decode.c is the same in C. Prints the tokens per
 * second and per second of CPU time of each round, then the token ids, and what the JVM takes in memory.
 */
public final class Decode {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MEGA = 1_000_000;

    private Decode() {}

    public static void main(String[] args) throws IOException {
        if (args.length != 5) {
            System.err.println("usage: Decode MODEL PROMPT TOKENS ROUNDS THREADS");
            System.exit(2);
        }
        Path file = Path.of(args[0]);
        int rounds = Integer.parseInt(args[3]);
        int threads = Integer.parseInt(args[4]);
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(Integer.parseInt(args[2]))
                .ignoreEndOfGeneration(true)
                .build();
        ContextOptions contextOptions =
                ContextOptions.builder().length(2048).threads(threads).batchThreads(threads).build();
        try (Model model = Model.load(file)) {
            String memory = memory(file);
            try (Context context = model.newContext(contextOptions);
                    Sampler sampler = Sampler.greedy()) {
                Generation generation = null;
                for (int round = 0; round < rounds; round++) {
                    context.memory().clear(); // else only the last token of the prompt would be computed again
                    generation = context.generate(args[1], sampler, options);
                    long allocated = THREADS.getCurrentThreadAllocatedBytes();
                    run(generation);
                    allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
                    if (round == rounds - 1) {
                        memory += ", " + allocated / generation.tokens().length + " bytes allocated per token";
                    }
                }
                System.out.println("ids "
                        + Arrays.stream(generation.tokens())
                                .mapToObj(Integer::toString)
                                .collect(Collectors.joining(" ")));
                System.out.println("memory " + memory);
            }
        }
    }

    /** Takes every piece. The first one comes with the prompt, whose CPU time is not that of a token. */
    private static void run(Generation generation) {
        Iterator<String> pieces = generation.iterator();
        int characters = pieces.next().length();
        int before = generation.tokens().length;
        long cpu = THREADS.getCurrentThreadCpuTime();
        while (pieces.hasNext()) {
            characters += pieces.next().length();
        }
        cpu = THREADS.getCurrentThreadCpuTime() - cpu;
        if (characters == 0) {
            throw new IllegalStateException("no text");
        }
        System.out.printf(
                "round %.3f %.3f%n",
                generation.timings().generatedTokensPerSecond(), (generation.tokens().length - before) / (cpu * 1e-9));
    }

    /** What the process holds beside the pages of the model, with the JVM's own part of it. */
    private static String memory(Path model) throws IOException {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        long committed = memory.getHeapMemoryUsage().getCommitted()
                + memory.getNonHeapMemoryUsage().getCommitted();
        long used = memory.getHeapMemoryUsage().getUsed()
                + memory.getNonHeapMemoryUsage().getUsed();
        Path maps = Path.of("/proc/self/smaps");
        String resident = "";
        if (Files.exists(maps)) {
            String name = model.toRealPath().toString();
            boolean ofModel = false;
            long kilobytes = 0;
            for (String line : Files.readAllLines(maps)) {
                if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                    ofModel = line.endsWith(name);
                } else if (line.startsWith("Rss:") && !ofModel) {
                    kilobytes += Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
            resident = kilobytes * 1024 / MEGA + " MB resident beside the mapped model, ";
        }
        return resident + "JVM heap and code " + used / MEGA + " MB used of " + committed / MEGA + " MB committed";
    }
}
