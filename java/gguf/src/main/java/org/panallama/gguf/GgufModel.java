package org.panallama.gguf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model in one GGUF file, or split over several by {@link GgufSplitter} or llama.cpp, seen as one. Immutable, safe
 * for several threads, and nothing to close.
 */
public final class GgufModel {

    static final String SPLIT_NUMBER = "split.no";
    static final String SPLIT_COUNT = "split.count";
    static final String SPLIT_TENSORS = "split.tensors.count";

    private static final Set<String> SPLIT_KEYS = Set.of(SPLIT_NUMBER, SPLIT_COUNT, SPLIT_TENSORS);
    private static final Pattern SHARD_NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

    private final List<GgufFile> files;
    private final Map<String, GgufValue> metadata;
    private final List<GgufTensor> tensors;
    private final Map<String, GgufFile> owners = new HashMap<>();

    private GgufModel(List<GgufFile> files) throws GgufException {
        this.files = List.copyOf(files);
        Map<String, GgufValue> entries = new LinkedHashMap<>(files.get(0).metadata());
        entries.keySet().removeAll(SPLIT_KEYS);
        this.metadata = Collections.unmodifiableMap(entries);
        List<GgufTensor> all = new ArrayList<>();
        for (GgufFile file : files) {
            if (!file.order().equals(files.get(0).order())) {
                throw new GgufException(
                        file.path(),
                        4,
                        "its byte order is not that of " + files.get(0).path());
            }
            for (GgufTensor tensor : file.tensors()) {
                GgufFile other = owners.put(tensor.name(), file);
                if (other != null) {
                    throw new GgufException(
                            file.path(), 0, "tensor '" + tensor.name() + "' is also in " + other.path());
                }
                all.add(tensor);
            }
        }
        this.tensors = List.copyOf(all);
    }

    /**
     * Opens a model.
     *
     * @param path a whole model, or any file of a split one; the others must lie beside it under their usual names,
     *     {@code name-00001-of-00005.gguf}
     * @throws GgufException if a file is damaged, missing, or belongs to another model
     * @throws IOException if a file cannot be read
     */
    public static GgufModel open(Path path) throws IOException {
        GgufFile asked = GgufFile.open(path);
        int count = (int) number(asked, SPLIT_COUNT, 1);
        if (count <= 1) {
            return new GgufModel(List.of(asked));
        }
        Matcher name = SHARD_NAME.matcher(path.getFileName().toString());
        int number = (int) number(asked, SPLIT_NUMBER, 0);
        if (!name.matches()
                || !path.getFileName()
                        .equals(shard(path, name.group(1), number, count).getFileName())) {
            throw new GgufException(
                    path,
                    0,
                    "this is part " + (number + 1) + " of a model split into " + count
                            + ", whose name must end in " + suffix(number, count)
                            + " for the others to be found; rename it");
        }
        List<GgufFile> files = new ArrayList<>();
        long tensors = 0;
        for (int i = 0; i < count; i++) {
            Path file = shard(path, name.group(1), i, count);
            if (!Files.exists(file)) {
                throw new GgufException(
                        path, 0, "the model is split into " + count + " files, of which " + file + " is missing");
            }
            GgufFile part = i == number ? asked : GgufFile.open(file);
            if (number(part, SPLIT_NUMBER, -1) != i || number(part, SPLIT_COUNT, -1) != count) {
                throw new GgufException(
                        file,
                        0,
                        "by its metadata it is part " + (number(part, SPLIT_NUMBER, -1) + 1) + " of "
                                + number(part, SPLIT_COUNT, -1) + ", by its name part " + (i + 1) + " of " + count);
            }
            tensors += part.tensors().size();
            files.add(part);
        }
        long expected = number(files.get(0), SPLIT_TENSORS, tensors);
        if (expected != tensors) {
            throw new GgufException(
                    files.get(0).path(),
                    0,
                    SPLIT_TENSORS + " is " + expected + ", the files hold " + tensors
                            + " tensors; they do not belong together");
        }
        return new GgufModel(files);
    }

    /** The path of a part, from 0, beside another. */
    static Path shard(Path beside, String name, int number, int count) {
        return beside.resolveSibling(name + suffix(number, count));
    }

    /** The names of the parts of a model, however many there are. */
    static Pattern shards(String name) {
        return Pattern.compile(Pattern.quote(name) + "-\\d{5}-of-\\d{5}\\.gguf");
    }

    private static String suffix(int number, int count) {
        return String.format(Locale.ROOT, "-%05d-of-%05d.gguf", number + 1, count);
    }

    private static long number(GgufFile file, String key, long otherwise) throws GgufException {
        OptionalLong value = file.integer(key);
        if (value.isEmpty() && file.metadata().containsKey(key)) {
            throw new GgufException(
                    file.path(),
                    0,
                    "metadata key '" + key + "' is " + file.metadata().get(key) + ", must be an integer");
        }
        long number = value.orElse(otherwise);
        if (value.isPresent() && (number < 0 || number > 99_999) && !key.equals(SPLIT_TENSORS)) {
            throw new GgufException(
                    file.path(), 0, "metadata key '" + key + "' is " + number + ", must be from 0 to 99999");
        }
        return number;
    }

    /** Returns the files in order; one for a whole model. */
    public List<GgufFile> files() {
        return files;
    }

    /** Returns the metadata of the first file, which has it all, without the keys that say how the model is split. */
    public Map<String, GgufValue> metadata() {
        return metadata;
    }

    /** Returns the tensors of all files in order. */
    public List<GgufTensor> tensors() {
        return tensors;
    }

    /**
     * Returns the file that has a tensor.
     *
     * @throws IllegalArgumentException if none has it
     */
    public GgufFile file(GgufTensor tensor) {
        GgufFile file = owners.get(tensor.name());
        if (file == null) {
            throw new IllegalArgumentException(files.get(0).path() + " has no " + tensor);
        }
        return file;
    }

    /** Returns version and byte order of the first file. */
    public GgufFormat format() {
        return files.get(0).format();
    }
}
