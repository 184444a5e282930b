package org.panallama.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import picocli.CommandLine.Mixin;

/** Which model, and how it is loaded. */
final class ModelArguments {

    @Mixin
    private ModelFileArgument file;

    @Mixin
    private LoadArguments loading;

    /** The model's file. */
    Path path() {
        return file.path();
    }

    /**
     * Loads the model, with a progress bar where that takes long.
     *
     * @param context to be opened on it, for which a GPU has to have room
     */
    Model load(ContextOptions context, PrintStream err, Interruption interruption) {
        return loading.load(file.path(), context, err, interruption);
    }

    /** The same, where it is the loading alone that can be interrupted: signals end the process at once from then on. */
    Model load(ContextOptions context, Streams streams) {
        try (Interruption interruption = new Interruption(streams.signals())) {
            Model model = load(context, streams.err(), interruption);
            if (interruption.requested()) {
                model.close();
                throw new CancellationException("interrupted when the model was loaded");
            }
            return model;
        }
    }

    /** The adapters by file, with their scales. */
    Map<Path, Float> adapters() {
        return loading.adapters();
    }

    /** Sets the adapters on a context. */
    void addAdapters(Context context, Map<Path, Float> adapters) {
        Map<LoraAdapter, Float> loaded = LoadArguments.load(context.model(), adapters);
        if (!loaded.isEmpty()) {
            context.setLora(loaded);
        }
    }
}
