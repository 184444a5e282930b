package org.panallama.kernels;

import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FloatView;
import org.panallama.Llama;
import org.panallama.LoraAdapter;
import org.panallama.Model;

/**
 * The process that {@link EvaluationProcess} talks to: writes the CPU variant to stdout, then what each model predicts for
 * the beginning of a text, which is cut into windows that know nothing of each other.
 */
final class Evaluation {
    /** Tokens of a window: as many as the model was trained at. */
    private static final int LENGTH = 256;

    /** Tokens computed at once, for each window: prompts, small batches and single tokens take ways of their own. */
    private static final int[] BATCHES = {LENGTH, LENGTH, 7, 1};

    static final String AS_IT_IS = "as-it-is";

    /** With weights widened to floats: llama.cpp then rounds no activations to 8 bits, and what it computes is exact. */
    static final String WIDENED = "widened";

    /** How many predictions each model makes. */
    static final int PREDICTIONS = BATCHES.length * (LENGTH - 1);

    private static final int BOS = 1;

    private Evaluation() {}

    /** A model with a LoRA adapter, as an argument. */
    static String with(Path model, Path adapter) {
        return model + File.pathSeparator + adapter;
    }

    /** Arguments: {@link #AS_IT_IS} or {@link #WIDENED}, model files, {@linkplain #with with} an adapter or without. */
    public static void main(String[] args) throws IOException {
        DataOutputStream out = new DataOutputStream(System.out);
        out.writeUTF(Llama.cpuVariant());
        out.flush();
        if (args.length == 0) {
            return;
        }
        boolean widened = args[0].equals(WIDENED);
        String text = text();
        for (String argument : Arrays.copyOfRange(args, 1, args.length)) {
            String[] files = argument.split(File.pathSeparator);
            String file = files[0];
            Path path = Path.of(file);
            if (widened) {
                path = Path.of(file + ".f32");
                QuantizedModel.widen(Path.of(file), path);
            }
            try (Model model = Model.load(path)) {
                evaluate(model, files.length > 1 ? Map.of(model.loadLora(Path.of(files[1])), 1f) : Map.of(), text, out);
            }
            out.flush();
            if (widened) {
                Files.delete(path);
            }
        }
    }

    private static void evaluate(Model model, Map<LoraAdapter, Float> adapters, String text, DataOutputStream out)
            throws IOException {
        int[] tokens = model.vocab().tokenize(text);
        // One thread: the model is too small to gain by more, and a process with other kernels runs beside this one.
        ContextOptions options =
                ContextOptions.builder().length(LENGTH).threads(1).build();
        try (Context context = model.newContext(options);
                Batch batch = Batch.tokens(LENGTH)) {
            context.setLora(adapters);
            for (int w = 0; w < BATCHES.length; w++) {
                int[] window = Arrays.copyOfRange(tokens, w * LENGTH, (w + 1) * LENGTH);
                window[0] = BOS;
                context.memory().clear();
                for (int from = 0; from < LENGTH - 1; from += BATCHES[w]) {
                    int size = Math.min(BATCHES[w], LENGTH - 1 - from);
                    batch.clear();
                    for (int i = 0; i < size; i++) {
                        batch.add(window[from + i], from + i, 0, true);
                    }
                    context.decode(batch);
                    for (int i = 0; i < size; i++) {
                        write(window[from + i + 1], context.logits(i), out);
                    }
                }
            }
        }
    }

    private static void write(int token, FloatView logits, DataOutputStream out) throws IOException {
        double norm = logits.logSumExp();
        ByteBuffer prediction = ByteBuffer.allocate((2 + logits.size()) * Integer.BYTES);
        prediction.putInt(token).putInt(logits.size());
        for (float logit : logits.toArray()) {
            prediction.putFloat((float) (logit - norm));
        }
        out.write(prediction.array());
    }

    private static String text() throws IOException {
        try (InputStream in = Evaluation.class.getResourceAsStream("/tiny-mixtral/eval.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
