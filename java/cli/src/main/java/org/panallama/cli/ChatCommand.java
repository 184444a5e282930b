package org.panallama.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jline.terminal.spi.SystemStream;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatSession;
import org.panallama.ChatTemplate;
import org.panallama.Context;
import org.panallama.ContextFullPolicy;
import org.panallama.ContextOptions;
import org.panallama.GenerationOptions;
import org.panallama.Model;
import org.panallama.Sampler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Talks with a model. */
@Command(
        name = "chat",
        customSynopsis = "panallama chat [OPTIONS]",
        description =
                "Talks with a model in its own chat template, on the terminal or line by line through a pipe. /help lists"
                        + " what can be typed besides messages.",
        sortOptions = false,
        defaultValueProvider = ChatDefaults.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama chat -m model.gguf --system \"你是一个乐于助人的助手。\"",
            "  printf '法国的英文名是什么？\\n日本的英文名是什么？\\n' | panallama chat --temp 0"
        })
final class ChatCommand implements Callable<Integer> {

    private final Streams streams;

    @Mixin
    private ModelArguments modelArguments;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message: instructions for the whole talk.")
    private @Nullable String system;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            description =
                    "Chat template, for a model without one; one of llama.cpp's, for example mistral-v1 or chatml.")
    private @Nullable String template;

    @Option(
            names = "--context-full",
            paramLabel = "POLICY",
            defaultValue = "shift",
            description = "When the context is full: fail, stop the answer, or shift, which forgets the oldest turns"
                    + " (default: ${DEFAULT-VALUE}).")
    private ContextFullPolicy contextFull;

    @Mixin
    private LengthArguments length;

    @Mixin
    private SamplingArguments sampling;

    @Mixin
    private ContextArguments contextArguments;

    @Option(names = "--timings", description = "Report the speed of each answer on stderr.")
    private boolean timings;

    @Mixin(name = "common")
    private CommonOptions common;

    ChatCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        // Everything is checked before a big model is loaded.
        GenerationOptions options = length.options().build();
        ContextOptions contextOptions =
                contextArguments.options(modelArguments.path()).build();
        Map<Path, Float> adapters = modelArguments.adapters();
        try (Sampler sampler = sampling.sampler();
                Model model = modelArguments.load(contextOptions, streams);
                Context context = model.newContext(contextOptions);
                ChatInput input = input()) {
            modelArguments.addAdapters(context, adapters);
            ChatTemplate chosen = template == null ? ChatTemplate.of(model) : ChatTemplate.of(model, template);
            Conversation conversation = new Conversation(
                    streams,
                    input,
                    instructions -> session(context, sampler, chosen, options, instructions),
                    system,
                    timings);
            return conversation.run() ? 0 : 1;
        }
    }

    private ChatInput input() {
        if (streams.isProcess() && Terminals.isTerminal(SystemStream.Input)) {
            streams.err().println("/help lists the commands, Ctrl-D ends the talk");
            return new TerminalInput(streams.err());
        }
        return new PipedInput(streams.in());
    }

    private ChatSession session(
            Context context,
            Sampler sampler,
            ChatTemplate chosen,
            GenerationOptions options,
            @Nullable String instructions) {
        ChatSession.Builder session = ChatSession.builder(context, sampler)
                .template(chosen)
                .options(options)
                .whenFull(contextFull);
        if (instructions != null) {
            session.system(instructions);
        }
        return session.build();
    }
}
