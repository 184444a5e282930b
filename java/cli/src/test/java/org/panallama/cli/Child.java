package org.panallama.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The program as a process of its own. */
final class Child {

    private static final int LIMIT_MINUTES = 5;

    private Child() {}

    static ProcessBuilder builder(Map<String, String> environment, String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.equals("LANG") || name.startsWith("LC_"));
        builder.environment().putAll(environment);
        return builder;
    }

    static Result run(Map<String, String> environment, byte[] input, String... args) throws Exception {
        Process process = builder(environment, args).start();
        try {
            CompletableFuture<String> out = text(process.getInputStream());
            CompletableFuture<String> err = text(process.getErrorStream());
            process.getOutputStream().write(input);
            process.getOutputStream().close();
            return finished(process, out, err);
        } finally {
            process.destroyForcibly();
        }
    }

    static Result finished(Process process, CompletableFuture<String> out, CompletableFuture<String> err)
            throws Exception {
        if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
            throw new AssertionError("still running after " + LIMIT_MINUTES + " minutes");
        }
        return new Result(process.exitValue(), out.get(), err.get());
    }

    /** What comes of a stream until its end. */
    static CompletableFuture<String> text(InputStream stream) {
        // On a thread of its own: the common pool may have one only, and a child that nobody reads comes to a halt.
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                reading -> new Thread(reading, "child").start());
    }
}
