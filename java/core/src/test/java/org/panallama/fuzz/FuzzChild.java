package org.panallama.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Llama;
import org.panallama.Model;
import org.panallama.VocabType;
import org.panallama.tiny.TinyModel;

/** The process that {@link ModelFuzzTest} risks: loads damaged models and says on stdout how each went. */
final class FuzzChild {
    static final String START = "fuzz start ";
    static final String END = "fuzz end ";

    private FuzzChild() {}

    /** Arguments: a directory to work in, the first case, the number of cases. */
    public static void main(String[] args) throws IOException {
        if (!Llama.isAvailable()) {
            throw new IllegalStateException(Llama.unavailabilityCause());
        }
        Path file = Path.of(args[0]).resolve("damaged.gguf");
        ModelMutator mutator = new ModelMutator(TinyModel.path(), file);
        long first = Long.parseLong(args[1]);
        long end = first + Long.parseLong(args[2]);
        for (long number = first; number < end; number++) {
            String[] outcome = new String[1];
            say(START + number);
            mutator.run(number, () -> outcome[0] = use(file));
            say(END + number + " " + outcome[0] + " " + mutator.description());
        }
    }

    private static String use(Path file) {
        try (Model model = Model.load(file)) {
            ContextOptions options = ContextOptions.builder()
                    .length(64)
                    .batch(64)
                    .microBatch(64)
                    .threads(1)
                    .batchThreads(1)
                    .build();
            try (Context context = model.newContext(options)) {
                if (model.vocab().type() == VocabType.NONE) {
                    context.decode(0);
                } else {
                    context.decode(model.vocab().tokenize("[INST] 法国 é [/INST]"));
                    model.vocab().piece(context.logits(-1).argMax());
                }
            }
            return "loaded";
        } catch (RuntimeException e) {
            return e.getClass().getSimpleName();
        }
    }

    private static void say(String line) {
        System.out.println(line.replaceAll("\\p{Cntrl}", "?"));
        System.out.flush();
    }
}
