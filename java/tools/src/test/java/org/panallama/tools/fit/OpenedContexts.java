package org.panallama.tools.fit;

import java.nio.file.Path;
import org.panallama.ContextOptions;
import org.panallama.Model;

/** Opens contexts in a process of its own, whose log tells what llama.cpp reserves. */
final class OpenedContexts {

    private OpenedContexts() {}

    /** A model's file, and pairs of context length and micro-batch. */
    public static void main(String[] args) {
        try (Model model = Model.load(Path.of(args[0]))) {
            for (int i = 1; i < args.length; i += 2) {
                int batch = Integer.parseInt(args[i + 1]);
                model.newContext(ContextOptions.builder()
                                .length(Integer.parseInt(args[i]))
                                .batch(batch)
                                .microBatch(batch)
                                .build())
                        .close();
            }
        }
    }
}
