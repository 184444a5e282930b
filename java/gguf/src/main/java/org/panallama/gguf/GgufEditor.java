package org.panallama.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import org.jspecify.annotations.Nullable;

/**
 * Changes a GGUF file: metadata, names of tensors, and tensors themselves. Version, byte order, and the order of
 * everything stay as they are; so does, where no tensor is dropped or replaced, every byte behind the header.
 *
 * <pre>{@code
 * GgufEditor.of(GgufFile.open(path))
 *         .set("general.name", GgufValue.string("My model"))
 *         .remove("general.url")
 *         .save();
 * }</pre>
 *
 * <p>Not for several threads.
 */
public final class GgufEditor {

    /** A tensor of the result, and its data: the source's, or a tensor of the file if that is null. */
    private record Entry(
            GgufTensor tensor,
            GgufTensor original,
            @Nullable TensorSource source) {}

    private final GgufFile file;
    private final Map<String, GgufValue> metadata;
    private final Map<String, Entry> tensors = new LinkedHashMap<>();
    private DoublePredicate progress = fraction -> true;
    private boolean relaid; // a tensor was dropped or replaced

    private GgufEditor(GgufFile file) {
        this.file = file;
        this.metadata = new LinkedHashMap<>(file.metadata());
        file.tensors().forEach(tensor -> tensors.put(tensor.name(), new Entry(tensor, tensor, null)));
    }

    /** Begins without changes. */
    public static GgufEditor of(GgufFile file) {
        return new GgufEditor(file);
    }

    /** Sets a metadata key where it stands, or adds it behind the others. */
    public GgufEditor set(String key, GgufValue value) {
        metadata.put(key, value);
        return this;
    }

    /**
     * Removes a metadata key.
     *
     * @throws IllegalArgumentException if there is no such key
     */
    public GgufEditor remove(String key) {
        requireKey(key);
        metadata.remove(key);
        return this;
    }

    /**
     * Renames a metadata key where it stands.
     *
     * @throws IllegalArgumentException if there is no such key, or the new name is taken
     */
    public GgufEditor rename(String key, String newKey) {
        requireKey(key);
        if (metadata.containsKey(newKey)) {
            throw new IllegalArgumentException(file.path() + " already has the metadata key '" + newKey + "'");
        }
        replaceKey(metadata, key, newKey, metadata.get(key));
        return this;
    }

    /**
     * Renames a tensor.
     *
     * @throws IllegalArgumentException if there is no such tensor, or the new name is taken
     */
    public GgufEditor renameTensor(String name, String newName) {
        Entry entry = requireTensor(name);
        if (tensors.containsKey(newName)) {
            throw new IllegalArgumentException(file.path() + " already has a tensor '" + newName + "'");
        }
        replaceKey(
                tensors, name, newName, new Entry(entry.tensor().withName(newName), entry.original(), entry.source()));
        return this;
    }

    /**
     * Leaves a tensor out.
     *
     * @throws IllegalArgumentException if there is no such tensor
     */
    public GgufEditor dropTensor(String name) {
        requireTensor(name);
        tensors.remove(name);
        relaid = true;
        return this;
    }

    /**
     * Puts another tensor in the place of one.
     *
     * @param name of the tensor to be replaced
     * @param tensor what it becomes, of any type, shape and name
     * @param source its data, in the file's byte order; asked when the file is written
     * @throws IllegalArgumentException if there is no such tensor, or the new name is taken
     */
    public GgufEditor replaceTensor(String name, GgufTensor tensor, TensorSource source) {
        Entry entry = requireTensor(name);
        if (!tensor.name().equals(name) && tensors.containsKey(tensor.name())) {
            throw new IllegalArgumentException(file.path() + " already has a tensor '" + tensor.name() + "'");
        }
        replaceKey(tensors, name, tensor.name(), new Entry(tensor, entry.original(), source));
        relaid = true;
        return this;
    }

    /**
     * Watches the writing, on the thread that does it.
     *
     * @param watcher gets the fraction done, from 0 to 1; {@code false} cancels, so that {@link #save()} and
     *     {@link #writeTo} throw {@link java.util.concurrent.CancellationException} and leave everything as it was
     */
    public GgufEditor progress(DoublePredicate watcher) {
        this.progress = watcher;
        return this;
    }

    /**
     * Changes the file itself: only the bytes that differ where the header keeps its length, as it does when a number
     * changes; otherwise a new file is written beside it and moved into its place.
     *
     * @return whether the change was made in place
     * @throws IllegalArgumentException if a changed name or value cannot be written
     * @throws IOException if the file cannot be written
     */
    public boolean save() throws IOException {
        if (!keepsLayout()) {
            writeTo(file.path());
            return false;
        }
        byte[] before = file.header();
        byte[] after = header();
        if (before.length != after.length) {
            writeTo(file.path());
            return false;
        }
        int first = 0;
        int end = after.length;
        while (first < end && before[first] == after[first]) {
            first++;
        }
        while (end > first && before[end - 1] == after[end - 1]) {
            end--;
        }
        Work work = new Work(1, progress);
        if (first < end) {
            try (FileChannel channel = openForWriting()) {
                ByteBuffer changed = ByteBuffer.wrap(after, first, end - first);
                while (changed.hasRemaining()) {
                    channel.write(changed, changed.position());
                }
                channel.force(false);
            }
        }
        work.done(1);
        return true;
    }

    /**
     * Writes the changed file elsewhere.
     *
     * @param target where it will be; a file there is replaced once the new one is complete
     * @throws IllegalArgumentException if a changed name or value cannot be written
     * @throws IOException if the file cannot be read or the target not be written
     */
    public void writeTo(Path target) throws IOException {
        if (keepsLayout()) {
            copyWithHeader(target);
            return;
        }
        Composition composition = new Composition(file.format(), metadata);
        for (Entry entry : tensors.values()) {
            TensorSource source = entry.source();
            composition.add(entry.tensor(), source != null ? source : writer -> writer.write(file, entry.original()));
        }
        composition.write(target, progress);
    }

    private FileChannel openForWriting() throws IOException {
        try {
            return FileChannel.open(file.path(), StandardOpenOption.WRITE);
        } catch (AccessDeniedException e) {
            throw new AccessDeniedException(
                    file.path().toString(),
                    null,
                    "may not be written to; check its permissions, or write another file");
        }
    }

    private boolean keepsLayout() {
        return !relaid && Header.alignment(metadata) == file.alignment();
    }

    private void copyWithHeader(Path target) throws IOException {
        byte[] header = header();
        // Behind a header of the same length, whatever stands in the padding can stay there, too.
        boolean sameLength = header.length == file.headerEnd();
        long from = sameLength ? header.length : file.dataOffset();
        long data = file.size() - from;
        Work work = new Work(data, progress);
        try (PendingFile pending = new PendingFile(target, header.length + data)) {
            pending.write(ByteBuffer.wrap(header));
            // A file without tensors may end with its header, or be padded as if it had some.
            if (!sameLength && data > 0) {
                pending.pad(file.alignment());
            }
            if (sameLength || !file.tensors().isEmpty()) {
                file.copy(from, data, pending, work);
            }
            pending.moveIntoPlace();
        }
    }

    /** Only where the tensors are the file's own, whatever their names. */
    private byte[] header() {
        List<GgufTensor> named = tensors.values().stream().map(Entry::tensor).toList();
        long[] offsets = file.tensors().stream()
                .mapToLong(tensor -> file.offset(tensor) - file.dataOffset())
                .toArray();
        return Header.encode(file.format(), metadata, named, offsets);
    }

    private void requireKey(String key) {
        if (!metadata.containsKey(key)) {
            throw new IllegalArgumentException(file.path() + " has no metadata key '" + key + "'");
        }
    }

    private Entry requireTensor(String name) {
        Entry entry = tensors.get(name);
        if (entry == null) {
            throw new IllegalArgumentException(file.path() + " has no tensor '" + name + "'");
        }
        return entry;
    }

    private static <V> void replaceKey(Map<String, V> map, String key, String newKey, V value) {
        List<Map.Entry<String, V>> entries = new ArrayList<>();
        map.forEach((k, v) -> entries.add(k.equals(key) ? Map.entry(newKey, value) : Map.entry(k, v)));
        map.clear();
        entries.forEach(entry -> map.put(entry.getKey(), entry.getValue()));
    }
}
