package org.panallama.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;

/** Parses a command line and runs what it names. */
final class Program {

    private final Streams streams;
    private final Map<String, Supplier<Object>> commands = new LinkedHashMap<>();

    Program(Streams streams) {
        this.streams = streams;
        commands.put("generate", () -> new GenerateCommand(streams));
        commands.put("chat", () -> new ChatCommand(streams));
        commands.put("info", () -> new InfoCommand(streams));
        commands.put("tokenize", () -> new TokenizeCommand(streams));
        commands.put("embed", () -> new EmbedCommand(streams));
    }

    /** Returns the exit status: 0, 1 if it failed, 2 if the command line was wrong. */
    int run(String... args) {
        CommandLine line = new CommandLine(new RootCommand());
        if (args.length > 0 && commands.containsKey(args[0])) {
            // The others would only cost start-up time: picocli reads the annotations of each.
            line.addSubcommand(args[0], commands.get(args[0]).get());
        } else {
            commands.forEach((name, command) -> line.addSubcommand(name, command.get()));
            line.addSubcommand(new CommandLine.HelpCommand());
        }
        ErrorReport errors = new ErrorReport(streams.err());
        PrintWriter out = new PrintWriter(new ToOutput());
        line.setOut(out);
        line.setErr(new PrintWriter(streams.err(), true));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler(errors);
        line.setExecutionExceptionHandler(errors);
        line.setUsageHelpAutoWidth(true);
        int status = line.execute(args);
        out.flush();
        return status;
    }

    /** Where picocli prints its help. */
    private final class ToOutput extends Writer {

        @Override
        public void write(char[] buffer, int offset, int length) {
            streams.out().print(new String(buffer, offset, length));
        }

        @Override
        public void flush() {
            streams.out().flush();
        }

        @Override
        public void close() {
            flush();
        }
    }
}
