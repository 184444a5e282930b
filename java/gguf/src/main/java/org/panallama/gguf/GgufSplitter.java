package org.panallama.gguf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;

/**
 * Splits a model over several files, as llama.cpp's {@code gguf-split} does, and merges them again. The first file has
 * all metadata, and {@code split.no}, {@code split.count} and {@code split.tensors.count} say how the files belong
 * together. llama.cpp loads the model when given the first one.
 *
 * <p>A model whose tensors lie as llama.cpp wants them is the same byte for byte after splitting and merging.
 */
public final class GgufSplitter {

    private static final int MAX_FILES = 0xFFFF; // split.count is a UINT16

    private final GgufModel model;
    private final List<List<GgufTensor>> parts;

    private GgufSplitter(GgufModel model, List<List<GgufTensor>> parts) {
        if (parts.size() > MAX_FILES) {
            throw new IllegalArgumentException(
                    "that makes " + parts.size() + " files, must be at most " + MAX_FILES + "; let each hold more");
        }
        this.model = model;
        this.parts = parts;
    }

    /**
     * Plans files with a number of tensors each.
     *
     * @param maxTensors in a file, at least 1
     * @throws IllegalArgumentException if the number is out of range or would make more than 65535 files
     */
    public static GgufSplitter byTensors(GgufModel model, int maxTensors) {
        if (maxTensors < 1) {
            throw new IllegalArgumentException("maxTensors is " + maxTensors + ", must be at least 1");
        }
        List<List<GgufTensor>> parts = new ArrayList<>();
        for (int i = 0; i < model.tensors().size(); i += maxTensors) {
            parts.add(model.tensors().subList(i, Math.min(model.tensors().size(), i + maxTensors)));
        }
        return new GgufSplitter(model, parts.isEmpty() ? List.of(List.of()) : parts);
    }

    /**
     * Plans files with a size of tensor data each; the headers come on top. A tensor that is larger gets a file of its
     * own.
     *
     * @param maxBytes of data in a file, at least 1
     * @throws IllegalArgumentException if the size is out of range or would make more than 65535 files
     */
    public static GgufSplitter bySize(GgufModel model, long maxBytes) {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("maxBytes is " + maxBytes + ", must be at least 1");
        }
        int alignment = Header.alignment(model.metadata());
        List<List<GgufTensor>> parts = new ArrayList<>();
        List<GgufTensor> part = new ArrayList<>();
        long bytes = 0;
        for (GgufTensor tensor : model.tensors()) {
            long padded = Header.aligned(tensor.bytes(), alignment);
            if (!part.isEmpty() && bytes + padded > maxBytes) {
                parts.add(part);
                part = new ArrayList<>();
                bytes = 0;
            }
            part.add(tensor);
            bytes += padded;
        }
        parts.add(part);
        return new GgufSplitter(model, parts);
    }

    /** Returns the tensors of each file. */
    public List<List<GgufTensor>> parts() {
        return parts.stream().map(List::copyOf).toList();
    }

    /**
     * Returns the paths that {@link #write} uses: {@code prefix-00001-of-00005.gguf} and so on.
     *
     * @param prefix directory and beginning of the name; a {@code .gguf} at its end is left out
     * @throws IllegalArgumentException if it has no name, as a root
     */
    public List<Path> paths(Path prefix) {
        if (prefix.getFileName() == null) {
            throw new IllegalArgumentException(
                    "prefix is '" + prefix + "', must end in the beginning of a file's name");
        }
        String name = name(prefix);
        List<Path> paths = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            paths.add(GgufModel.shard(prefix, name, i, parts.size()));
        }
        return paths;
    }

    private static String name(Path prefix) {
        return prefix.getFileName().toString().replaceFirst("\\.gguf$", "");
    }

    /**
     * Writes the files. They get their names when all are complete.
     *
     * @param prefix directory and beginning of the name, as for {@link #paths}
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @return the files, in order
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled; no file is left behind
     * @throws IllegalArgumentException if one of the files is one of the model's own
     * @throws IOException if a file cannot be read or written, or the disk has no room for all
     */
    public List<Path> write(Path prefix, DoublePredicate progress) throws IOException {
        List<Path> paths = paths(prefix);
        for (Path path : paths) {
            requireOther(model, path, "to be split");
        }
        // Whoever was killed may have been told to make another number of files.
        PendingFile.deleteLeftovers(paths.get(0), GgufModel.shards(name(prefix)));
        PendingFile.requireRoom(
                paths.get(0),
                model.tensors().stream().mapToLong(GgufTensor::bytes).sum());
        Work work = Work.on(model.tensors(), progress);
        List<GgufWriter> writers = new ArrayList<>();
        try {
            for (int i = 0; i < parts.size(); i++) {
                Composition composition = new Composition(model.format(), metadata(i));
                parts.get(i).forEach(tensor -> copy(model, tensor, composition));
                writers.add(composition.begin(paths.get(i), work));
            }
            for (GgufWriter writer : writers) {
                writer.finish();
            }
        } finally {
            for (GgufWriter writer : writers) {
                writer.close();
            }
        }
        return paths;
    }

    private Map<String, GgufValue> metadata(int part) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        if (part == 0) {
            metadata.putAll(model.metadata());
        }
        metadata.put(GgufModel.SPLIT_NUMBER, GgufValue.integer(GgufType.UINT16, part));
        metadata.put(GgufModel.SPLIT_COUNT, GgufValue.integer(GgufType.UINT16, parts.size()));
        metadata.put(GgufModel.SPLIT_TENSORS, GgufValue.int32(model.tensors().size()));
        return metadata;
    }

    private static void copy(GgufModel model, GgufTensor tensor, Composition target) {
        target.add(tensor, writer -> writer.write(model.file(tensor), tensor));
    }

    /**
     * Writes a split model into one file.
     *
     * @param model the model with all its files
     * @param target where the file will be; one that is there is replaced once the new one is complete
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled; nothing is left behind
     * @throws IllegalArgumentException if the target is one of the model's own files
     * @throws IOException if a file cannot be read or written
     */
    public static void merge(GgufModel model, Path target, DoublePredicate progress) throws IOException {
        requireOther(model, target, "to be merged");
        Composition composition = new Composition(model.format(), model.metadata());
        model.tensors().forEach(tensor -> copy(model, tensor, composition));
        composition.write(target, progress);
    }

    private static void requireOther(GgufModel model, Path target, String what) throws IOException {
        for (GgufFile file : model.files()) {
            if (Files.exists(target) && Files.isSameFile(target, file.path())) {
                throw new IllegalArgumentException(target + " is one of the files " + what + "; choose another name");
            }
        }
    }
}
