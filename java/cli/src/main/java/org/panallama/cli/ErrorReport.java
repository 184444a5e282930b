package org.panallama.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into a line on stderr and an exit status. */
final class ErrorReport implements IParameterExceptionHandler, IExecutionExceptionHandler {

    /** The library's messages speak of its API; whoever types commands is told the option. */
    private static final Map<String, String> OPTIONS = Map.ofEntries(
            Map.entry("ContextOptions.length()", "-c"),
            Map.entry("ModelOptions.checkMemory(false)", "--no-memory-check"),
            Map.entry("ContextFullPolicy.SHIFT", "--context-full shift"),
            Map.entry("ChatTemplate.of()", "--template"),
            Map.entry("ModelOptions.vocabOnly(true)", "the tokenize command"),
            Map.entry("gpuLayers(ModelOptions.AUTO_LAYERS)", "--gpu-layers auto"),
            Map.entry("ModelOptions.gpuLayers()", "--gpu-layers"),
            Map.entry("ModelOptions.fitFor()", "-c and --kv-type"),
            Map.entry("ContextOptions.offloadKv(false)", "--no-kv-offload"),
            Map.entry("tensorSplit has", "--tensor-split has"),
            Map.entry("mainDevice is", "--main-gpu is"),
            Map.entry("expertsOnCpu is", "--n-cpu-moe is"),
            Map.entry("contextLength is", "-c is"),
            Map.entry("windows is", "--chunks is"),
            Map.entry("chunkSize is", "-c is"),
            Map.entry("firstChunk is", "--chunk-from is"),
            Map.entry("maxBufferMib is", "--max-buffer-size is"),
            Map.entry("maxBytes is", "--max-size is"),
            Map.entry("maxTensors is", "--max-tensors is"),
            Map.entry("or allow quantizing again, which", "or give --allow-requantize, which"),
            Map.entry(
                    "make an importance matrix of the model and pass it along",
                    "make an importance matrix of the model ('panallama imatrix') and give --imatrix"));

    private final PrintStream err;

    ErrorReport(PrintStream err) {
        this.err = err;
    }

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        // Picocli puts "Error: " in front of some of its messages.
        err.println("panallama: " + String.valueOf(e.getMessage()).replaceFirst("^Error: ", ""));
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty()) {
                err.println("Did you mean: " + String.join(" or ", suggestions) + "?");
            }
        }
        err.println(hint(e.getCommandLine()));
        return ExitCode.USAGE;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine command, @Nullable ParseResult parsed) {
        if (e instanceof Output.ClosedException) {
            return ExitCode.OK; // the reader has what it wanted
        }
        if (verbose(command)) {
            e.printStackTrace(err);
        }
        if (e instanceof CancellationException) {
            return ExitCode.SOFTWARE; // by a signal, which tells of itself
        }
        err.println("panallama: " + message(e));
        if (e instanceof IllegalArgumentException) {
            err.println(hint(command));
            return ExitCode.USAGE;
        }
        return ExitCode.SOFTWARE;
    }

    private static String message(Exception e) {
        if (e instanceof UncheckedIOException unchecked) {
            return unchecked.getCause().getMessage();
        }
        if (e instanceof LlamaException
                || e instanceof IllegalArgumentException
                || e instanceof IllegalStateException
                || e instanceof UnsupportedOperationException
                || e instanceof IOException) {
            return inOptions(String.valueOf(e.getMessage()));
        }
        return e + " (this should not happen; -v shows where it came from)";
    }

    /** A message of the library in terms of the program. */
    static String inOptions(String message) {
        String text = message;
        for (Map.Entry<String, String> option : OPTIONS.entrySet()) {
            text = text.replace(option.getKey(), option.getValue());
        }
        return text;
    }

    private static String hint(CommandLine command) {
        return "Try '" + command.getCommandSpec().qualifiedName() + " --help'.";
    }

    private static boolean verbose(CommandLine command) {
        Object common = command.getMixins().get("common");
        return common instanceof CommonOptions options && options.verbose();
    }
}
