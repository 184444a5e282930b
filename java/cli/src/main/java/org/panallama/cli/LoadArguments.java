package org.panallama.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.panallama.ContextOptions;
import org.panallama.LoadMode;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.ModelOptions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model is loaded, and what is added to it. */
final class LoadArguments {

    @Mixin
    private GpuArguments gpu;

    @Option(names = "--no-mmap", description = "Read the file into memory instead of mapping it.")
    private boolean noMmap;

    @Option(names = "--no-memory-check", description = "Load a model even if it is larger than this machine's memory.")
    private boolean noMemoryCheck;

    @Option(
            names = "--lora",
            paramLabel = "FILE[:WEIGHT]",
            description = "LoRA adapter in GGUF format, with its weight (default: 1). May be repeated.")
    private List<String> lora = new ArrayList<>();

    /** The options, checked. */
    ModelOptions.Builder options() {
        ModelOptions.Builder options = ModelOptions.builder().checkMemory(!noMemoryCheck);
        gpu.addTo(options);
        if (noMmap) {
            options.loadMode(LoadMode.READ);
        }
        return options;
    }

    /**
     * Loads a model, with a progress bar where that takes long.
     *
     * @param context to be opened on it, for which a GPU has to have room
     */
    Model load(Path file, ContextOptions context, PrintStream err, Interruption interruption) {
        try (LoadingBar bar = new LoadingBar(err, interruption)) {
            return Model.load(file, options().fitFor(context).onProgress(bar).build());
        }
    }

    /** The adapters by file, with their weights. */
    Map<Path, Float> adapters() {
        Map<Path, Float> adapters = new LinkedHashMap<>();
        for (String text : lora) {
            AdapterArgument adapter = AdapterArgument.of(text);
            adapters.put(adapter.path(), adapter.weight());
        }
        return adapters;
    }

    /** Loads adapters for a model. */
    static Map<LoraAdapter, Float> load(Model model, Map<Path, Float> adapters) {
        Map<LoraAdapter, Float> loaded = new LinkedHashMap<>();
        adapters.forEach((path, scale) -> loaded.put(model.loadLora(path), scale));
        return loaded;
    }
}
