package org.panallama.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.panallama.ModelLoadException;
import org.panallama.spi.MetadataParam;

/**
 * Decides whether a file may be handed to llama.cpp. llama.cpp v0.4.0 rejects many damaged files with an error, but for
 * others it runs into an assertion or beyond an array, which ends the process; this check refuses them first, with a
 * message that says what is wrong.
 */
public final class GgufPreflight {
    private static final Pattern PART_NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

    // ggml insists on it when it maps the file as a buffer.
    private static final int MIN_ALIGNMENT = 32;

    private GgufPreflight() {}

    /**
     * Checks a model file, and the other parts where it is split.
     *
     * @param file the model, or any part of a split model
     * @return what was learned; {@link ModelSummary#file()} is to be loaded
     * @throws ModelLoadException if the file cannot be loaded
     */
    public static ModelSummary check(Path file) {
        return check(List.of(file), List.of());
    }

    /**
     * Checks a model as it will be once metadata is overridden.
     *
     * @param files the model, or all parts of a split one in order, which then may have any names
     * @param overrides what llama.cpp will be told to take instead of the file's metadata
     * @return what was learned; the metadata is that with the overrides
     * @throws ModelLoadException if the model cannot be loaded
     */
    public static ModelSummary check(List<Path> files, List<MetadataParam> overrides) {
        List<GgufFile> parts = parts(files);
        for (MetadataParam override : overrides) {
            if (override.key().startsWith("split.")) {
                throw new ModelLoadException(
                        files.get(0), "metadata key '" + override.key() + "' cannot be overridden");
            }
        }
        List<GgufFile> overridden = new ArrayList<>(parts);
        overridden.set(0, parts.get(0).with(overrides));
        return check(files.get(0), overridden);
    }

    private static ModelSummary check(Path file, List<GgufFile> parts) {
        GgufFile first = parts.get(0);
        checkArchitecture(first);
        Set<String> names = new HashSet<>();
        for (GgufFile part : parts) {
            checkData(part);
            TensorRules.check(part);
            for (GgufTensor tensor : part.tensors()) {
                if (!names.add(tensor.name())) {
                    throw new ModelLoadException(
                            part.path(), "tensor '" + tensor.name() + "' is also in an earlier part of the model");
                }
            }
        }
        HyperparameterRules.check(first);
        VocabRules.check(first);
        ModelSummary summary = new ModelSummary(file, parts);
        AttentionRules.check(summary);
        return summary;
    }

    /** The files of a model; those that lie beside a single one are found. */
    static List<GgufFile> parts(List<Path> files) {
        if (files.size() == 1) {
            return readParts(files.get(0));
        }
        List<GgufFile> parts = files.stream().map(GgufPreflight::open).toList();
        checkSplit(parts);
        return parts;
    }

    private static List<GgufFile> readParts(Path requested) {
        GgufFile asked = open(requested);
        checkSplitKeys(asked);
        int count = asked.splitCount();
        if (count == 1) {
            return List.of(asked);
        }
        Matcher name = PART_NAME.matcher(asked.path().getFileName().toString());
        String numbers = String.format(Locale.ROOT, "-%05d-of-%05d.gguf", asked.splitNumber() + 1, count);
        if (!name.matches() || !asked.path().toString().endsWith(numbers)) {
            throw new ModelLoadException(
                    requested,
                    "this is part " + (asked.splitNumber() + 1) + " of a model split into " + count
                            + ", whose name must end in '" + numbers + "' for the others to be found; rename it");
        }
        List<Path> paths = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Path path = i == asked.splitNumber()
                    ? asked.path()
                    : asked.path()
                            .resolveSibling(
                                    String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", name.group(1), i + 1, count));
            paths.add(path);
            if (!Files.isRegularFile(path)) {
                missing.add(path.getFileName().toString());
            }
        }
        if (!missing.isEmpty()) {
            throw new ModelLoadException(
                    requested,
                    "the model is split into " + count + " files, of which these are missing beside it: "
                            + String.join(", ", missing.subList(0, Math.min(5, missing.size())))
                            + (missing.size() > 5 ? " and " + (missing.size() - 5) + " more" : ""));
        }
        List<GgufFile> parts = new ArrayList<>();
        for (Path path : paths) {
            parts.add(path.equals(asked.path()) ? asked : open(path));
        }
        checkSplit(parts);
        return parts;
    }

    private static void checkSplitKeys(GgufFile file) {
        for (String key : List.of("split.no", "split.count")) {
            GgufValue value = file.metadata().get(key);
            if (value != null && !value.is(GgufType.UINT16)) {
                throw new ModelLoadException(file.path(), key + " must be a UINT16, not " + value);
            }
        }
        if (file.splitCount() > 1 && file.splitNumber() >= file.splitCount()) {
            throw new ModelLoadException(
                    file.path(), "split.no is " + file.splitNumber() + " of " + file.splitCount() + " parts");
        }
    }

    private static void checkSplit(List<GgufFile> parts) {
        long tensors = 0;
        for (int i = 0; i < parts.size(); i++) {
            GgufFile part = parts.get(i);
            checkSplitKeys(part);
            if (!part.metadata().containsKey("split.no")
                    || part.splitNumber() != i
                    || part.splitCount() != parts.size()) {
                throw new ModelLoadException(
                        part.path(),
                        "its metadata says part " + (part.splitNumber() + 1) + " of " + part.splitCount()
                                + ", but it is given as part " + (i + 1) + " of " + parts.size());
            }
            tensors += part.tensors().size();
        }
        GgufFile first = parts.get(0);
        long expected = first.splitTensorCount().orElse(-1);
        if (expected != tensors) {
            throw new ModelLoadException(
                    first.path(),
                    "split.tensors.count is " + (expected < 0 ? "missing" : expected) + ", the parts hold " + tensors
                            + " tensors; they do not belong together");
        }
    }

    static GgufFile open(Path path) {
        String text = path.toString();
        if (text.isEmpty() || text.indexOf('\0') >= 0) {
            throw new ModelLoadException(path, "is not a usable file name");
        }
        if (!Files.exists(path)) {
            throw new ModelLoadException(path, "no such file");
        }
        if (Files.isDirectory(path)) {
            throw new ModelLoadException(path, "is a directory; name the .gguf file in it");
        }
        if (!Files.isRegularFile(path)) {
            throw new ModelLoadException(path, "is not a regular file");
        }
        if (!Files.isReadable(path)) {
            throw new ModelLoadException(path, "may not be read; check its permissions");
        }
        byte[] prefix;
        try (InputStream in = Files.newInputStream(path)) {
            prefix = in.readNBytes(ForeignFormat.PREFIX_BYTES);
        } catch (IOException e) {
            throw new ModelLoadException(path, "cannot be read: " + e.getMessage(), e);
        }
        if (prefix.length == 0) {
            throw new ModelLoadException(path, "the file is empty");
        }
        boolean gguf =
                prefix.length >= 4 && prefix[0] == 'G' && prefix[1] == 'G' && prefix[2] == 'U' && prefix[3] == 'F';
        if (!gguf) {
            throw new ModelLoadException(path, "not a GGUF file: " + ForeignFormat.describe(prefix));
        }
        return GgufFile.read(path);
    }

    private static void checkArchitecture(GgufFile file) {
        String kind = file.string("general.type").orElse("model");
        String name = file.architecture()
                .orElseThrow(() -> new ModelLoadException(
                        file.path(), "general.architecture is missing, so it cannot be told what model this is"));
        if (kind.equals("adapter")) {
            throw new ModelLoadException(
                    file.path(), "this is a LoRA adapter, not a model; load its base model and add the adapter to it");
        }
        if (kind.equals("mmproj") || name.equals("clip")) {
            throw new ModelLoadException(
                    file.path(), "this is a projector for images or sound (mmproj), not a language model");
        }
        if (!Architectures.LOADABLE.contains(name)) {
            throw new ModelLoadException(
                    file.path(),
                    "llama.cpp v0.4.0 does not know the architecture '" + name + "'; the nearest it knows are "
                            + String.join(", ", Architectures.nearest(name)));
        }
    }

    static void checkData(GgufFile file) {
        if (!file.tensors().isEmpty() && file.alignment() < MIN_ALIGNMENT) {
            throw new ModelLoadException(
                    file.path(),
                    GgufReader.ALIGNMENT_KEY + " is " + file.alignment() + "; llama.cpp needs at least "
                            + MIN_ALIGNMENT);
        }
        long end = file.dataOffset();
        GgufTensor cut = null;
        for (GgufTensor tensor : file.tensors()) {
            end = file.dataOffset() + tensor.offset() + tensor.bytes();
            if (cut == null && end > file.size()) {
                cut = tensor;
            }
        }
        if (cut != null) {
            throw new ModelLoadException(
                    file.path(),
                    "the file is cut off in its data: tensor '" + cut.name()
                            + "' is the first that is not complete; of the file, " + (end - file.size())
                            + " bytes are missing; download or copy it again");
        }
    }
}
