package org.panallama.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.panallama.LlamaException;
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
        commands.put("serve", () -> new ServeCommand(streams));
        commands.put("bench", () -> new BenchCommand(streams));
        commands.put("synth", () -> new SynthCommand(streams));
        commands.put("perplexity", () -> new PerplexityCommand(streams));
        commands.put("convert", () -> new ConvertCommand(streams));
        commands.put("table", () -> new TableCommand(streams));
        commands.put("lora", () -> LoraCommand.create(streams));
        commands.put("gguf", () -> GgufCommand.create(streams));
        commands.put("quantize", () -> new QuantizeCommand(streams));
        commands.put("imatrix", () -> new ImatrixCommand(streams));
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
        // Help and version; picocli would not notice that they cannot be printed.
        StringWriter help = new StringWriter();
        line.setOut(new PrintWriter(help));
        line.setErr(new PrintWriter(streams.err(), true));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler(errors);
        line.setExecutionExceptionHandler(errors);
        line.setUsageHelpAutoWidth(true);
        int status = line.execute(args);
        if (help.getBuffer().isEmpty()) {
            return status;
        }
        try {
            streams.out().print(help.toString());
            streams.out().flush();
            return status;
        } catch (Output.ClosedException | LlamaException e) {
            return errors.handleExecutionException(e, line, null);
        }
    }
}
