package org.panallama.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.panallama.LoadProgress;
import org.panallama.server.ModelSettings;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How the server opens its models. */
final class ServedModelArguments {

    private static final int DRAFT_TOKENS = 8;

    @Mixin
    private LoadArguments loading;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            defaultValue = "4",
            description = "Requests that a model computes at once; others wait (default: ${DEFAULT-VALUE}).")
    private int parallel;

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            description =
                    "Context length in tokens, of all requests computed at once together (default: 4096 for each, or"
                            + " what the model was trained for if that is less).")
    private @Nullable Integer length;

    @Option(
            names = "--chunk",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of prompts that are computed between two tokens of running answers (default:"
                    + " ${DEFAULT-VALUE}).")
    private int chunk;

    @Option(
            names = "--queue",
            paramLabel = "N",
            defaultValue = "256",
            description = "Requests that may wait; more are told to come again later (default: ${DEFAULT-VALUE}).")
    private int queue;

    @Mixin
    private ComputeArguments compute;

    @Option(
            names = "--draft",
            paramLabel = "FILE",
            description = "A smaller model of the same vocabulary that guesses ahead; the answers are the same.")
    private @Nullable Path draft;

    @Option(
            names = "--draft-tokens",
            paramLabel = "N",
            description = "Most tokens that it guesses at a time (default: " + DRAFT_TOKENS + ").")
    private int draftTokens = DRAFT_TOKENS;

    @Option(
            names = "--lookup",
            paramLabel = "N",
            defaultValue = "0",
            description = "Guess that a repeated phrase goes on as before, N tokens at a time; the answers are the same"
                    + " (default: off).")
    private int lookup;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            description =
                    "Chat template in place of the model's own: one of llama.cpp's, for example mistral-v1 or chatml.")
    private @Nullable String template;

    @Option(
            names = "--chat-template-file",
            paramLabel = "FILE",
            description = "The same, from a file with a Jinja template.")
    private @Nullable String templateFile;

    /** A bar for each model that is loaded; one after the other. */
    private static final class Bars implements LoadProgress {

        private final PrintStream err;
        private final Interruption interruption;
        private @Nullable LoadingBar bar;

        Bars(PrintStream err, Interruption interruption) {
            this.err = err;
            this.interruption = interruption;
        }

        @Override
        public synchronized boolean onProgress(float fraction) {
            LoadingBar shown = bar;
            if (shown == null) {
                shown = new LoadingBar(err, interruption);
                bar = shown;
            }
            boolean goOn = shown.onProgress(fraction);
            if (fraction >= 1 || !goOn) {
                shown.close();
                bar = null;
            }
            return goOn;
        }
    }

    /** The settings, checked. */
    ModelSettings.Builder settings(PrintStream err, InputStream in, Interruption interruption) {
        if (template != null && templateFile != null) {
            throw new IllegalArgumentException("--template and --chat-template-file cannot both be given");
        }
        ModelSettings.Builder settings = ModelSettings.builder()
                .loading(loading.options()
                        .onProgress(new Bars(err, interruption))
                        .build())
                .parallel(parallel)
                .length(length == null ? 0 : length)
                .chunk(chunk)
                .queue(queue)
                .threads(compute.threads())
                .kvTypes(compute.kvTypes().keys(), compute.kvTypes().values())
                .lookup(lookup);
        loading.adapters().forEach(settings::lora);
        if (draft != null) {
            settings.draft(draft, draftTokens);
        }
        if (template != null) {
            settings.chatTemplate(template);
        }
        if (templateFile != null) {
            settings.chatTemplate(TextFile.read(templateFile, in));
        }
        return settings;
    }
}
