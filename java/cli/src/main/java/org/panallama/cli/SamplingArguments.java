package org.panallama.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.Sampler;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How the next token is chosen. The defaults are llama.cpp's; a command can provide others. */
final class SamplingArguments {

    @Option(
            names = {"--temp", "--temperature"},
            paramLabel = "T",
            description = "Temperature; 0 always takes the likeliest token (default: ${DEFAULT-VALUE}).")
    private float temperature = 0.8f;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Keep the K likeliest tokens; 0 keeps all (default: ${DEFAULT-VALUE}).")
    private int topK = 40;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Keep the likeliest tokens that together have probability P (default: ${DEFAULT-VALUE}).")
    private float topP = 0.95f;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description =
                    "Keep tokens of at least P times the probability of the likeliest (default: ${DEFAULT-VALUE}).")
    private float minP = 0.05f;

    @Option(
            names = "--repeat-penalty",
            paramLabel = "R",
            description =
                    "Penalty on tokens that occurred among the last ones; 1 for none (default: ${DEFAULT-VALUE}).")
    private float repeatPenalty = 1;

    @Option(
            names = "--repeat-last-n",
            paramLabel = "N",
            description = "How many tokens the penalties look back (default: ${DEFAULT-VALUE}).")
    private int repeatLastN = 64;

    @Option(
            names = "--presence-penalty",
            paramLabel = "A",
            description = "Subtracted once from the logit of tokens that occurred (default: ${DEFAULT-VALUE}).")
    private float presencePenalty;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "A",
            description = "Subtracted from a token's logit for each time it occurred (default: ${DEFAULT-VALUE}).")
    private float frequencyPenalty;

    @Option(
            names = {"-s", "--seed"},
            paramLabel = "N",
            description = "Seed of the random choices, to get the same text again (default: another one each time).")
    private @Nullable Long seed;

    @ArgGroup
    private @Nullable GrammarSource grammar;

    /** The grammar, given in one of two ways. */
    static final class GrammarSource {

        @Option(
                names = "--grammar",
                paramLabel = "GBNF",
                description = "Grammar in llama.cpp's GBNF that the text has to follow, for example 'root ::= \"yes\" |"
                        + " \"no\"'.")
        private @Nullable String text;

        @Option(names = "--grammar-file", paramLabel = "FILE", description = "File with such a grammar.")
        private @Nullable Path file;

        private String rules() {
            if (text != null) {
                return text;
            }
            Path path = Objects.requireNonNull(file);
            try {
                return Files.readString(path);
            } catch (IOException e) {
                throw new LlamaException("--grammar-file: " + TextFile.problem(path, e), e);
            }
        }
    }

    /** The seed asked for, or a random one, which a report can name. */
    long seed() {
        if (seed == null) {
            seed = ThreadLocalRandom.current().nextLong(1L << 31);
        }
        return seed;
    }

    Sampler sampler() {
        Sampler.Builder builder = Sampler.builder()
                .temperature(temperature)
                .topK(topK)
                .topP(topP)
                .minP(minP)
                .repeatPenalty(repeatPenalty)
                .penaltyLastN(repeatLastN)
                .presencePenalty(presencePenalty)
                .frequencyPenalty(frequencyPenalty)
                .seed(seed());
        if (grammar != null) {
            builder.grammar(grammar.rules());
        }
        return builder.build();
    }
}
