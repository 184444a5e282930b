package org.panallama.tools.lora;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsTensor;

/** An adapter as PEFT saves it: a folder with {@code adapter_config.json} and {@code adapter_model.safetensors}. */
final class PeftAdapter {

    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PICKLED_WEIGHTS = "adapter_model.bin";
    private static final String PREFIX = "base_model.model.";

    /** The name of the adapter stands in between where the state was not saved by PEFT itself. */
    private static final Pattern LINEAR = Pattern.compile("(.+)\\.lora_([AB])\\.(?:[^.]+\\.)?weight");

    private static final Pattern EMBEDDING = Pattern.compile("(.+)\\.lora_embedding_([AB])(?:\\.[^.]+)?");
    private static final Pattern SAVED =
            Pattern.compile("(.+?)(?:\\.modules_to_save(?:\\.[^.]+)?|\\.base_layer)?\\.(weight|bias)");
    private static final Pattern ORIGINAL = Pattern.compile(".+\\.original_module\\.(weight|bias)");

    /** PEFT saves these as they are where the vocabulary was changed, whether they were asked for or not. */
    private static final Pattern VOCABULARY = Pattern.compile("(.+\\.)?(embed_tokens|lm_head)");

    private static final class Halves {
        private @Nullable SafetensorsTensor a;
        private @Nullable SafetensorsTensor b;
        private boolean embedding;
    }

    private final Path folder;
    private final AdapterConfig config;
    private final Map<String, Halves> pairs = new TreeMap<>();
    private final Map<String, SafetensorsTensor> saved = new TreeMap<>();
    private final List<AdapterModule> modules = new ArrayList<>();

    private PeftAdapter(Path folder) {
        this.folder = folder;
        this.config = AdapterConfig.read(folder);
    }

    static PeftAdapter read(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new LoraException(
                    folder + " is no folder; an adapter is a folder with adapter_config.json and " + WEIGHTS);
        }
        PeftAdapter adapter = new PeftAdapter(folder);
        adapter.sort();
        adapter.combine();
        return adapter;
    }

    Path folder() {
        return folder;
    }

    AdapterConfig config() {
        return config;
    }

    /** In the order of their names. */
    List<AdapterModule> modules() {
        return modules;
    }

    /** An activated LoRA must not take part before its tokens have come. */
    void requireMergeable() {
        if (!config.invocationTokens().isEmpty()) {
            throw new LoraException(folder + " is an activated LoRA, which takes part from certain tokens on"
                    + " (alora_invocation_tokens), so that it cannot be merged");
        }
    }

    private Safetensors weights() {
        Path file = folder.resolve(WEIGHTS);
        if (!Files.exists(file) && Files.exists(folder.resolve(PICKLED_WEIGHTS))) {
            throw new LoraException(
                    folder.resolve(PICKLED_WEIGHTS) + " is a Python pickle, which can run any code when it is"
                            + " opened and is not read here: load the adapter with PEFT and save it again with"
                            + " save_pretrained(…, safe_serialization=True), which writes " + WEIGHTS);
        }
        return Safetensors.open(file);
    }

    private void sort() {
        List<String> unknown = new ArrayList<>();
        weights().tensors().forEach((fullName, tensor) -> {
            String name = fullName.startsWith(PREFIX) ? fullName.substring(PREFIX.length()) : fullName;
            if (!addHalf(name, tensor) && !addSaved(name, tensor)) {
                unknown.add(fullName);
            }
        });
        if (unknown.stream().anyMatch(name -> name.contains("lora_magnitude_vector"))) {
            throw new LoraException(
                    folder + " is a DoRA adapter, which scales the base's weights by their magnitude: merge it"
                            + " with PEFT (merge_and_unload) and convert the merged checkpoint");
        }
        Misfits.refuse(
                "adapter tensors in " + folder + " are neither halves of low-rank pairs nor listed in modules_to_save",
                unknown);
    }

    private boolean addHalf(String name, SafetensorsTensor tensor) {
        Matcher linear = LINEAR.matcher(name);
        Matcher embedding = EMBEDDING.matcher(name);
        boolean embedded = embedding.matches();
        if (!linear.matches() && !embedded) {
            return false;
        }
        Matcher found = embedded ? embedding : linear;
        Halves halves = pairs.computeIfAbsent(found.group(1), module -> new Halves());
        halves.embedding = embedded;
        if (tensor.shape().size() != 2) {
            throw new LoraException("tensor '" + tensor.name() + "' in " + tensor.file() + " has the shape "
                    + tensor.shape() + ", must be a matrix; only linear and embedding layers can be handled");
        }
        if (found.group(2).equals("A")) {
            halves.a = tensor;
        } else {
            halves.b = tensor;
        }
        return true;
    }

    private boolean addSaved(String name, SafetensorsTensor tensor) {
        if (ORIGINAL.matcher(name).matches()) {
            return true; // what the base has too
        }
        Matcher matcher = SAVED.matcher(name);
        if (!matcher.matches()) {
            return false;
        }
        String module = matcher.group(1);
        boolean listed = config.modulesToSave().stream()
                .anyMatch(each ->
                        module.equals(each) || module.endsWith("." + each) || module.contains("." + each + "."));
        if (!listed && !VOCABULARY.matcher(module).matches()) {
            return false;
        }
        saved.put(module + "." + matcher.group(2), tensor);
        return true;
    }

    private void combine() {
        Map<String, LowRank> finished = new TreeMap<>();
        pairs.forEach((module, halves) -> finished.put(module + ".weight", pair(module, halves)));
        Map<String, AdapterModule> all = new TreeMap<>();
        finished.forEach((name, pair) -> all.put(name, new AdapterModule(name, pair, saved.get(name))));
        saved.forEach((name, tensor) -> all.putIfAbsent(name, new AdapterModule(name, null, tensor)));
        List<String> absent = config.modulesToSave().stream()
                .filter(module -> all.keySet().stream()
                        .noneMatch(name -> name.startsWith(module + ".") || name.contains("." + module + ".")))
                .toList();
        Misfits.refuse(config.file() + " lists modules_to_save that " + WEIGHTS + " does not have", absent);
        if (all.isEmpty()) {
            throw new LoraException(folder.resolve(WEIGHTS) + " has no tensors");
        }
        modules.addAll(all.values());
    }

    private LowRank pair(String module, Halves halves) {
        SafetensorsTensor a = halves.a;
        SafetensorsTensor b = halves.b;
        if (a == null || b == null) {
            throw new LoraException(folder + ": module '" + module + "' has no lora_" + (a == null ? "A" : "B"));
        }
        int rank = config.rank(module);
        if (a.shape().get(0) != rank || b.shape().get(1) != rank) {
            throw new LoraException(folder + ": module '" + module + "' has lora_A " + a.shape() + " and lora_B "
                    + b.shape() + ", but by adapter_config.json the rank is " + rank);
        }
        LowRank pair = new LowRank(CheckpointMatrix.of(b), CheckpointMatrix.of(a), config.scale(module));
        return halves.embedding ? pair.transposed() : pair;
    }
}
