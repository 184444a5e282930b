package org.panallama.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.panallama.ModelLoadException;
import org.panallama.spi.MetadataParam;

/**
 * The header, metadata and tensor list of one GGUF file of version 2 or 3. Tensor data is neither read nor required to
 * be there; {@link GgufPreflight} checks that. Immutable.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the GGUF specification</a>
 */
public final class GgufFile {
    private final Path path;
    private final long size;
    private final int version;
    private final long dataOffset;
    private final Map<String, GgufValue> metadata;
    private final List<GgufTensor> tensors;

    GgufFile(
            Path path,
            long size,
            int version,
            long dataOffset,
            Map<String, GgufValue> metadata,
            List<GgufTensor> tensors) {
        this.path = path;
        this.size = size;
        this.version = version;
        this.dataOffset = dataOffset;
        this.metadata = Collections.unmodifiableMap(metadata);
        this.tensors = List.copyOf(tensors);
    }

    /**
     * Reads everything in front of the tensor data.
     *
     * @param path a readable file
     * @return its contents
     * @throws ModelLoadException if the file is not well-formed GGUF, or cannot be read
     */
    public static GgufFile read(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new GgufReader(path, channel).read();
        } catch (IOException e) {
            throw new ModelLoadException(path, "cannot be read: " + e.getMessage(), e);
        }
    }

    /** Returns this file with some metadata replaced or added. */
    GgufFile with(List<MetadataParam> overrides) {
        Map<String, GgufValue> changed = new LinkedHashMap<>(metadata);
        overrides.forEach(override -> changed.put(override.key(), GgufValue.of(override)));
        return new GgufFile(path, size, version, dataOffset, changed, tensors);
    }

    /** Returns the file's path. */
    public Path path() {
        return path;
    }

    /** Returns the file's size in bytes when it was read. */
    public long size() {
        return size;
    }

    /** Returns the GGUF version, 2 or 3. */
    public int version() {
        return version;
    }

    /** Returns the alignment of tensor data in bytes. */
    public int alignment() {
        return (int) integer(GgufReader.ALIGNMENT_KEY).orElse(GgufReader.DEFAULT_ALIGNMENT);
    }

    /** Returns where the data section begins, in bytes from the start of the file. */
    public long dataOffset() {
        return dataOffset;
    }

    /** Returns the metadata in file order. */
    public Map<String, GgufValue> metadata() {
        return metadata;
    }

    /** Returns the tensors in file order. */
    public List<GgufTensor> tensors() {
        return tensors;
    }

    /** Returns the model's architecture, for instance {@code llama}, if the file names one. */
    public Optional<String> architecture() {
        return string("general.architecture");
    }

    /** Returns which part of a split model this is, from 0; 0 for a whole model. */
    public int splitNumber() {
        return (int) integer("split.no").orElse(0);
    }

    /** Returns of how many parts the model consists; 1 for a whole model. */
    public int splitCount() {
        return Math.max(1, (int) integer("split.count").orElse(1));
    }

    /** Returns how many tensors all parts of a split model hold together, if the file says so. */
    public OptionalLong splitTensorCount() {
        return integer("split.tensors.count");
    }

    /** Returns a scalar string. */
    public Optional<String> string(String key) {
        GgufValue value = metadata.get(key);
        return value != null && value.is(GgufType.STRING) ? Optional.of(value.string(0)) : Optional.empty();
    }

    /** Returns a scalar integer of any width. */
    public OptionalLong integer(String key) {
        GgufValue value = metadata.get(key);
        return value != null && !value.isArray() && value.type().isInteger()
                ? OptionalLong.of(value.integer(0))
                : OptionalLong.empty();
    }

    /** Returns a scalar boolean. */
    public Optional<Boolean> bool(String key) {
        GgufValue value = metadata.get(key);
        return value != null && value.is(GgufType.BOOL) ? Optional.of(value.integer(0) != 0) : Optional.empty();
    }

    /** Returns the tensor with a name. */
    public Optional<GgufTensor> tensor(String name) {
        return tensors.stream().filter(t -> t.name().equals(name)).findFirst();
    }
}
