package org.panallama.kernels;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.panallama.internal.ChildJvm;

/** An {@link Evaluation} in a JVM of its own, since llama.cpp loads one CPU variant for the life of a process. */
final class EvaluationProcess implements Closeable {
    private final Process process;
    private final DataInputStream out;
    private final Path log;
    private final String variant;

    /** @param kernels the variables that choose kernels; those of this process do not count */
    EvaluationProcess(Path folder, Map<String, String> kernels, Object... args) throws IOException {
        log = Files.createTempFile(folder, "evaluation", ".log");
        List<String> command = ChildJvm.command(
                Evaluation.class,
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx512m",
                "-XX:+DisplayVMOutputToStderr",
                "-Dorg.slf4j.simpleLogger.log.org.panallama.llama=debug");
        Arrays.stream(args).map(String::valueOf).forEach(command::add);
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
        builder.environment().remove("PANALLAMA_KERNELS");
        builder.environment().remove("PANALLAMA_FORCE_ISA");
        builder.environment().putAll(kernels);
        process = builder.start();
        out = new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16));
        try {
            variant = out.readUTF();
        } catch (EOFException e) {
            throw new AssertionError("the process could not start: " + log(), e);
        }
    }

    /** {@link org.panallama.Llama#cpuVariant()} there. */
    String variant() {
        return variant;
    }

    Prediction next() throws IOException {
        try {
            int token = out.readInt();
            float[] logProbabilities = new float[out.readInt()];
            ByteBuffer.wrap(out.readNBytes(logProbabilities.length * Float.BYTES))
                    .asFloatBuffer()
                    .get(logProbabilities);
            return new Prediction(token, logProbabilities);
        } catch (EOFException e) {
            throw new AssertionError("the process with CPU variant " + variant + " ended early: " + log(), e);
        }
    }

    /** What was logged so far, llama.cpp's lines included. */
    String log() throws IOException {
        return Files.readString(log);
    }

    /** Ends the process, whatever it is doing. */
    @Override
    public void close() throws IOException {
        // To its end: it writes into a folder that is deleted next.
        process.destroyForcibly().onExit().join();
        out.close();
    }
}
