package org.panallama.tools.table;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.StringJoiner;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.Vocab;
import org.panallama.tiny.TinyModel;

/**
 * A text of which every second half of a window, which is what perplexity scores, was drawn from a model's own distribution,
 * after a first half from another text. On it a quantized model is better by chance only: the cross entropy that it is measured
 * by is the model's entropy plus its Kullback-Leibler divergence from the model (Cover and Thomas, Elements of Information
 * Theory, theorem 5.4.3), so that perplexities come in the order of the divergences. Short windows make the model unsure, and
 * the divergences large beside what chance does.
 *
 * <p>{@code continued.txt} is that of the tiny model, with seed 1, after the lines of {@code eval.txt} from 1301 on.
 */
final class ContinuedText {

    /** Tokens of a window. */
    static final int CONTEXT = 16;

    private static final int TOGETHER = 64;
    private static final int GIVEN = CONTEXT / 2 + 1;
    private static final int CHARACTERS = 40; // more than the tokens of the first half

    private final Model model;
    private final Vocab vocab;
    private final String end;
    private final String beginnings;
    private final Random random;

    private ContinuedText(Model model, String beginnings, long seed) {
        this.model = model;
        this.vocab = model.vocab();
        this.end = vocab.text(vocab.eos());
        this.beginnings = beginnings;
        this.random = new Random(seed);
    }

    /** Prints one: {@code java ContinuedText.java BEGINNINGS WINDOWS SEED}, with the program's jars on the class path. */
    public static void main(String[] args) throws Exception {
        try (Model model = Model.load(TinyModel.path())) {
            String text =
                    of(model, Files.readString(Path.of(args[0])), Integer.parseInt(args[1]), Long.parseLong(args[2]));
            new PrintStream(System.out, true, StandardCharsets.UTF_8).print(text);
        }
    }

    /**
     * Windows of {@link #CONTEXT} tokens, if special tokens are recognised: end-of-text, which the measurement replaces by BOS,
     * a beginning, and its continuation. One more end-of-text comes last.
     *
     * @param beginnings the text to take first halves from
     */
    static String of(Model model, String beginnings, int windows, long seed) {
        ContinuedText continued = new ContinuedText(model, beginnings, seed);
        // One at the end too, since what reads a file drops a line feed there.
        StringJoiner text = new StringJoiner(continued.end, "", continued.end);
        ContextOptions options = ContextOptions.builder()
                .length(TOGETHER * CONTEXT)
                .sequences(TOGETHER)
                .sharedCache(false)
                .batch(TOGETHER * CONTEXT)
                .build();
        try (Context context = model.newContext(options);
                Sampler sampler = Sampler.builder().temperature(1).seed(seed).build()) {
            int left = windows;
            while (left > 0) {
                for (int[] tokens : continued.sample(context, sampler)) {
                    String window = continued.text(tokens);
                    // The model says some in other tokens than the tokenizer would, or stops within a character.
                    if (left > 0 && Arrays.equals(continued.tokens(window), tokens)) {
                        text.add(window);
                        left--;
                    }
                }
            }
        }
        return text.toString();
    }

    /** Windows, each from end-of-text on. */
    private int[][] sample(Context context, Sampler sampler) {
        context.memory().clear();
        int[][] windows = new int[TOGETHER][];
        int[] last = new int[TOGETHER];
        try (Batch batch = Batch.tokens(TOGETHER * CONTEXT)) {
            for (int i = 0; i < TOGETHER; i++) {
                windows[i] = Arrays.copyOf(beginning(), CONTEXT);
                for (int position = 0; position < GIVEN; position++) {
                    int token = position == 0 ? vocab.bos() : windows[i][position];
                    last[i] = batch.add(token, position, i, position == GIVEN - 1);
                }
            }
            for (int position = GIVEN; position < CONTEXT; position++) {
                context.decode(batch);
                batch.clear();
                for (int i = 0; i < TOGETHER; i++) {
                    windows[i][position] = sampler.sample(context, last[i]);
                    last[i] = batch.add(windows[i][position], position, i, true);
                }
            }
        }
        return windows;
    }

    private int[] beginning() {
        while (true) {
            int from = random.nextInt(beginnings.length() - CHARACTERS);
            int[] tokens = tokens(beginnings.substring(from, from + CHARACTERS));
            if (tokens.length >= GIVEN) {
                return Arrays.copyOf(tokens, GIVEN);
            }
        }
    }

    private int[] tokens(String window) {
        return vocab.tokenize(end + window, false, true);
    }

    private String text(int[] tokens) {
        String text = vocab.detokenize(Arrays.copyOfRange(tokens, 1, CONTEXT), false, true);
        // The tokenizer puts the space after a special token back.
        return text.replace(end + " ", end);
    }
}
