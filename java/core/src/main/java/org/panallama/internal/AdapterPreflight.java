package org.panallama.internal;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.panallama.ModelLoadException;

/**
 * Decides whether a LoRA adapter may be handed to llama.cpp for a model. llama.cpp v0.4.0 checks the two leading
 * dimensions of most pairs, and runs into an assertion, which ends the process, over the others: when the file is
 * loaded or when a context computes with it.
 */
public final class AdapterPreflight {

    private static final String A = ".lora_a";
    private static final String B = ".lora_b";
    private static final String EMBEDDING = "token_embd.weight";
    private static final String OUTPUT = "output.weight";
    private static final List<String> TEXTS = List.of("general.type", "general.architecture", "adapter.type");
    private static final String ALPHA = "adapter.lora.alpha";

    private final GgufFile adapter;
    private final Map<String, GgufTensor> model;
    private final boolean causal;

    private AdapterPreflight(GgufFile adapter, List<GgufFile> model) {
        this.adapter = adapter;
        this.model = byName(model.stream().flatMap(part -> part.tensors().stream()));
        GgufFile first = model.get(0);
        this.causal = first.bool(first.architecture().orElse("") + ".attention.causal")
                .orElse(true);
    }

    /**
     * Checks an adapter.
     *
     * @param adapter its file
     * @param model the model's files, as it was loaded from
     * @throws ModelLoadException if the adapter is damaged or does not fit the model
     */
    public static void check(Path adapter, List<Path> model) {
        new AdapterPreflight(GgufPreflight.open(adapter), GgufPreflight.parts(model)).check();
    }

    private void check() {
        checkMetadata();
        GgufPreflight.checkData(adapter);
        TensorRules.check(adapter);
        Map<String, GgufTensor> tensors = byName(adapter.tensors().stream());
        for (GgufTensor a : adapter.tensors()) {
            if (!a.name().endsWith(A)) {
                continue;
            }
            String name = a.name().substring(0, a.name().length() - A.length());
            GgufTensor b = tensors.get(name + B);
            GgufTensor changed = model.get(name);
            // What is missing llama.cpp names itself.
            if (b != null && changed != null) {
                checkPair(changed, a, b);
            }
        }
    }

    private static Map<String, GgufTensor> byName(Stream<GgufTensor> tensors) {
        return tensors.collect(Collectors.toMap(GgufTensor::name, Function.identity(), (first, second) -> first));
    }

    private void checkMetadata() {
        for (String key : TEXTS) {
            if (adapter.metadata().containsKey(key) && adapter.string(key).isEmpty()) {
                throw refused(
                        "metadata key '" + key + "' is " + adapter.metadata().get(key) + ", must be a text");
            }
        }
        if (!adapter.string(TEXTS.get(0)).equals(Optional.of("adapter"))) {
            throw refused("this is no LoRA adapter: general.type is '"
                    + adapter.string(TEXTS.get(0)).orElse("model") + "', must be 'adapter'");
        }
        GgufValue alpha = adapter.metadata().get(ALPHA);
        if (alpha != null && !alpha.is(GgufType.FLOAT32)) {
            throw refused("metadata key '" + ALPHA + "' is " + alpha + ", must be a single-precision number");
        }
    }

    private void checkPair(GgufTensor changed, GgufTensor a, GgufTensor b) {
        boolean embedding = changed.name().equals(EMBEDDING);
        if (embedding && causal && !model.containsKey(OUTPUT)) {
            throw refused(
                    "it changes '" + EMBEDDING + "', which is the model's output matrix too, and llama.cpp cannot apply"
                            + " an adapter to such a matrix; merge the adapter into the model");
        }
        long rows = embedding ? a.dimension(1) : b.dimension(1);
        long columns = embedding ? b.dimension(1) : a.dimension(0);
        long rank = embedding ? a.dimension(0) : a.dimension(1);
        boolean fits = rows == changed.dimension(1)
                && columns == changed.dimension(0)
                && rank == b.dimension(0)
                && a.dimension(2) == changed.dimension(2)
                && b.dimension(2) == changed.dimension(2)
                && a.dimension(3) == 1
                && b.dimension(3) == 1;
        if (!fits) {
            throw refused("it is made for another model: '" + changed.name() + "' is " + changed.shape()
                    + " there, and the adapter's pair is " + a.shape() + " and " + b.shape());
        }
    }

    private ModelLoadException refused(String problem) {
        return new ModelLoadException(adapter.path(), problem);
    }
}
