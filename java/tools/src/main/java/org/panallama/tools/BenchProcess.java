package org.panallama.tools;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.panallama.LlamaException;

/** A JVM with the class path and the {@code panallama} properties of this one. Talks in lines of a key and a value. */
final class BenchProcess implements Closeable {

    private final String name;
    private final Process process;
    private final BufferedReader answers;
    private final OutputStream commands;

    /**
     * @param name for errors
     * @param environment what differs from this process's own; an empty value removes a variable
     */
    BenchProcess(String name, Map<String, String> environment, List<String> jvmOptions, Class<?> main, Object... args)
            throws IOException {
        this.name = name;
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
        System.getProperties().stringPropertyNames().stream()
                .filter(key -> key.startsWith("panallama."))
                .forEach(key -> command.add("-D" + key + "=" + System.getProperty(key)));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        Arrays.stream(args).map(String::valueOf).forEach(command::add);
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        environment.forEach((key, value) -> {
            if (value.isEmpty()) {
                builder.environment().remove(key);
            } else {
                builder.environment().put(key, value);
            }
        });
        process = builder.start();
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        commands = process.getOutputStream();
    }

    void command(String line) throws IOException {
        commands.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        commands.flush();
    }

    /**
     * The value of the next answer.
     *
     * @throws LlamaException if the process reports an error, or has ended
     */
    String answer(String key) throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new LlamaException(
                    "the process of " + name + " ended before it had the answer; its last words are above");
        }
        if (line.startsWith("error ")) {
            throw new LlamaException(name + ": " + line.substring("error ".length()));
        }
        if (!line.startsWith(key + " ")) {
            throw new LlamaException("the process of " + name + " says '" + line + "' instead of its " + key);
        }
        return line.substring(key.length() + 1);
    }

    /** Ends the process, whatever it is doing. */
    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        answers.close();
    }
}
