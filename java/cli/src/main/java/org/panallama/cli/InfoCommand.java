package org.panallama.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.Llama;
import org.panallama.fit.MemoryNeed;
import org.panallama.fit.ModelMemory;
import org.panallama.internal.NativeRuntime;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Describes a model and what it needs. */
@Command(
        name = "info",
        customSynopsis = "panallama info [-m FILE] [OPTIONS]",
        description =
                "Describes a model: what it is, its tensors and metadata, and whether it fits this machine's memory."
                        + " Reads the file's header only.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama info -m model.gguf",
            "  panallama info -m model.gguf -c 32768 --kv-type q8_0 --json",
            "  panallama info -m model.F16.gguf --fit -c 32768 --kv-type q8_0",
            "  panallama info --devices"
        })
final class InfoCommand implements Callable<Integer> {

    private final Streams streams;

    @Mixin
    private ModelFileArgument modelFile;

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            description =
                    "Context length, in tokens, to tell the memory for; 0 for as long as the model was trained for"
                            + " (default: 4096, or that if it is less).")
    private @Nullable Integer context;

    @Option(
            names = "--kv-type",
            paramLabel = "TYPE[,TYPE]",
            defaultValue = KvTypes.DEFAULT,
            converter = KvTypes.Converter.class,
            description = "Number format of the KV cache, or of its keys and its values (default: ${DEFAULT-VALUE}).")
    private KvTypes kvTypes;

    @Option(names = "--tensors", description = "List every tensor, too.")
    private boolean tensors;

    @Option(
            names = "--fit",
            description =
                    "Tell instead what fits the memory that is free now: of the file and of every smaller file type,"
                            + " the size, what goes to the GPU, and the longest context.")
    private boolean fit;

    @Option(names = "--devices", description = "List the devices that llama.cpp can compute on, and nothing else.")
    private boolean devices;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    InfoCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        if (devices) {
            Llama.devices(); // says why, where llama.cpp is not available
            Machine machine = Machine.present();
            listDevices(machine);
            if (machine.memory().gpus().isEmpty()) {
                streams.err()
                        .println("panallama: no GPU: " + NativeRuntime.get().whyNoGpu());
            }
            return 0;
        }
        // Refuses a cache that no context could have.
        ContextOptions.Builder limits = ContextOptions.builder().kvTypes(kvTypes.keys(), kvTypes.values());
        if (context != null && context != 0) {
            limits.length(context);
        }
        ModelFacts model = ModelFacts.read(modelFile.path());
        ModelMemory memory = ModelMemory.read(modelFile.path());
        Machine machine = Machine.present();
        MemoryNeed need = memory.need(
                contextLength(memory.trainedLength()), kvTypes.keys(), kvTypes.values(), FitReport.MICRO_BATCH);
        if (need.contextLength() > memory.trainedLength()) {
            streams.err()
                    .println("panallama: the model was trained for a context of " + model.number("context_length")
                            + " tokens; a longer one gives worse text");
        }
        if (fit) {
            FitReport report = FitReport.of(model, memory, need, machine);
            if (json) {
                streams.out().json(report);
            } else {
                report.print(streams.out());
                streams.out().flush();
            }
            return 0;
        }
        if (json) {
            streams.out().json(new InfoJson(model, need, memory, machine, tensors));
            return 0;
        }
        InfoText text = new InfoText(streams.out(), model);
        text.overview();
        text.metadata();
        text.tensorsByType();
        if (tensors) {
            text.everyTensor();
        }
        text.memory(need, memory, machine);
        streams.out().flush();
        return 0;
    }

    private long contextLength(long trained) {
        if (context == null) {
            return trained == 0 ? ContextOptions.DEFAULT_LENGTH : Math.min(trained, ContextOptions.DEFAULT_LENGTH);
        }
        return context == 0 ? trained : context;
    }

    private void listDevices(Machine machine) {
        if (json) {
            streams.out().json(machine::write);
        } else {
            machine.print(streams.out());
            streams.out().flush();
        }
    }
}
