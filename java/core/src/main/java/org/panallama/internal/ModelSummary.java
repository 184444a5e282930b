package org.panallama.internal;

import java.nio.file.Path;
import java.util.List;

/**
 * What {@link GgufPreflight} learned of a model that it found fit to load.
 *
 * @param requested the path that was asked for, which may name any part of a split model
 * @param parts the model's files in order, at least one; the first holds the metadata
 */
public record ModelSummary(Path requested, List<GgufFile> parts) {

    /** Copies the list. */
    public ModelSummary {
        parts = List.copyOf(parts);
    }

    /** Returns the first file, the one that llama.cpp has to be given. */
    public GgufFile file() {
        return parts.get(0);
    }

    /** Returns the paths of all parts in order. */
    public List<Path> paths() {
        return parts.stream().map(GgufFile::path).toList();
    }

    /** Returns whether a part other than the first was asked for. */
    public boolean startedFromLaterPart() {
        return !file().path().equals(requested);
    }

    /** Returns the architecture, for instance {@code llama}. */
    public String architecture() {
        return file().architecture().orElseThrow();
    }

    /** Returns an integer of the architecture, 0 if there is none; of one that differs between layers, the largest. */
    public long number(String key) {
        GgufValue value = file().metadata().get(architecture() + "." + key);
        if (value == null || value.type() == GgufType.STRING) {
            return 0;
        }
        long largest = 0;
        for (int i = 0; i < value.length(); i++) {
            largest = Math.max(largest, (long) value.number(i));
        }
        return largest;
    }

    /** Returns the kind of tokenizer, for instance {@code gpt2}; {@code none} where the model has no vocabulary. */
    public String tokenizer() {
        return file().string(VocabRules.MODEL_KEY).orElse("none");
    }

    /** Returns whether the file holds a vocabulary but no tensors, so that it can tokenize but not generate. */
    public boolean vocabOnly() {
        return parts.stream().allMatch(part -> part.tensors().isEmpty());
    }

    /** Returns the tensors of all parts. */
    public List<GgufTensor> tensors() {
        return parts.stream().flatMap(part -> part.tensors().stream()).toList();
    }

    /** Returns the size of all tensors in bytes. */
    public long tensorBytes() {
        return parts.stream()
                .flatMap(part -> part.tensors().stream())
                .mapToLong(GgufTensor::bytes)
                .sum();
    }
}
