package org.panallama.tools.safetensors;

import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One file: eight bytes with the length of the header, the header in JSON, the data. The data are covered without a gap, as
 * the format demands.
 */
final class SafetensorsFile {

    static final String METADATA = "__metadata__";

    /** The reference implementation's limit. */
    static final int MAX_HEADER = 100_000_000;

    private record Placed(SafetensorsEntry entry, long begin, long end) {}

    private final Path file;
    private final MappedFile content;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Placed> placed = new LinkedHashMap<>();

    private SafetensorsFile(Path file, MappedFile content) {
        this.file = file;
        this.content = content;
    }

    /** The tensors in the order of their data. */
    static Map<String, SafetensorsTensor> tensors(Path path, Map<String, String> metadata) {
        try {
            if (Files.isDirectory(path)) {
                throw new SafetensorsException(path, "is a folder, a safetensors file is needed");
            }
            SafetensorsFile file = new SafetensorsFile(path, MappedFile.map(path));
            Map<String, SafetensorsTensor> tensors = file.read();
            metadata.putAll(file.metadata);
            return tensors;
        } catch (NoSuchFileException e) {
            throw new SafetensorsException(path, "does not exist", e);
        } catch (IOException e) {
            throw new SafetensorsException(path, "cannot be read: " + e, e);
        }
    }

    private Map<String, SafetensorsTensor> read() {
        long size = content.size();
        if (size < Long.BYTES) {
            throw damaged("has " + size + " bytes, a safetensors file begins with 8 bytes of header length");
        }
        long length = content.slice(0, Long.BYTES).getLong();
        if (length < 2 || length > MAX_HEADER) {
            throw damaged("states a header of " + Long.toUnsignedString(length) + " bytes, must be from 2 to "
                    + MAX_HEADER + "; it is not a safetensors file or is damaged" + pointer());
        }
        if (length > size - Long.BYTES) {
            throw damaged("states a header of " + length + " bytes and has only " + (size - Long.BYTES)
                    + " behind the length; it is cut off");
        }
        try {
            parse(header((int) length));
        } catch (IOException | IllegalStateException | JsonParseException e) {
            throw new SafetensorsException(file, "the header is no valid JSON: " + e.getMessage(), e);
        }
        return place(Long.BYTES + length);
    }

    /** Whoever cloned a repository without git-lfs has small text files that point to the data. */
    private String pointer() {
        ByteBuffer start = content.slice(0, Long.BYTES);
        byte[] text = new byte[Long.BYTES];
        start.get(text);
        return new String(text, StandardCharsets.ISO_8859_1).equals("version ")
                ? " (it looks like a Git LFS pointer: fetch the real file with 'git lfs pull')"
                : "";
    }

    private JsonReader header(int length) {
        byte[] text = new byte[length];
        content.slice(Long.BYTES, length).get(text);
        JsonReader json = new JsonReader(new InputStreamReader(
                new ByteArrayInputStream(text),
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
        json.setStrictness(Strictness.STRICT);
        return json;
    }

    private void parse(JsonReader json) throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            if (name.equals(METADATA)) {
                parseMetadata(json);
            } else if (placed.put(name, parseTensor(json, name)) != null) {
                throw damaged("the header has two tensors '" + name + "'");
            }
        }
        json.endObject();
        if (json.peek() != JsonToken.END_DOCUMENT) {
            throw damaged("the header has something behind its JSON object");
        }
    }

    private void parseMetadata(JsonReader json) throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String key = json.nextName();
            if (json.peek() != JsonToken.STRING) {
                throw damaged(METADATA + " '" + key + "' is " + json.peek() + ", must be a string");
            }
            metadata.put(key, json.nextString());
        }
        json.endObject();
    }

    private Placed parseTensor(JsonReader json, String name) throws IOException {
        SafetensorsType type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "dtype" -> type = type(json, name);
                case "shape" -> shape = numbers(json, name, SafetensorsEntry.MAX_DIMENSIONS);
                case "data_offsets" -> offsets = numbers(json, name, 2);
                default -> json.skipValue();
            }
        }
        json.endObject();
        require(type, name, "dtype");
        require(shape, name, "shape");
        require(offsets, name, "data_offsets");
        return placed(name, type, shape, offsets);
    }

    private Placed placed(String name, SafetensorsType type, List<Long> shape, List<Long> offsets) {
        SafetensorsEntry entry;
        try {
            entry = new SafetensorsEntry(name, type, shape);
        } catch (IllegalArgumentException e) {
            throw new SafetensorsException(file, String.valueOf(e.getMessage()), e);
        }
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
            throw damaged("tensor '" + name + "' has the data_offsets " + offsets + ", must be a begin and an end");
        }
        if (offsets.get(1) - offsets.get(0) != entry.bytes()) {
            throw damaged(
                    "tensor '" + name + "' has " + (offsets.get(1) - offsets.get(0)) + " bytes by its data_offsets "
                            + offsets + ", but " + type.name() + " of shape " + shape + " has " + entry.bytes());
        }
        return new Placed(entry, offsets.get(0), offsets.get(1));
    }

    private void require(@Nullable Object value, String name, String field) {
        if (value == null) {
            throw damaged("tensor '" + name + "' has no " + field);
        }
    }

    private SafetensorsType type(JsonReader json, String name) throws IOException {
        String text = json.nextString();
        try {
            return SafetensorsType.valueOf(text);
        } catch (IllegalArgumentException e) {
            throw new SafetensorsException(
                    file,
                    "tensor '" + name + "' has the dtype '" + text + "', known are "
                            + List.of(SafetensorsType.values()).stream()
                                    .map(Enum::name)
                                    .toList(),
                    e);
        }
    }

    private List<Long> numbers(JsonReader json, String name, int most) throws IOException {
        List<Long> numbers = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            if (numbers.size() == most) {
                throw damaged("tensor '" + name + "' has more than " + most + " numbers in " + json.getPath());
            }
            numbers.add(number(json, name));
        }
        json.endArray();
        return numbers;
    }

    private long number(JsonReader json, String name) throws IOException {
        if (json.peek() != JsonToken.NUMBER) {
            throw damaged("tensor '" + name + "' has " + json.peek() + " in " + json.getPath() + ", must be a number");
        }
        String digits = json.nextString();
        try {
            long number = Long.parseLong(digits);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw damaged("tensor '" + name + "' has " + digits + " in " + json.getPath() + ", must be from 0 to "
                + Long.MAX_VALUE);
    }

    private Map<String, SafetensorsTensor> place(long dataStart) {
        List<Placed> order = new ArrayList<>(placed.values());
        order.sort(Comparator.comparingLong(Placed::begin).thenComparingLong(Placed::end));
        Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
        long end = 0;
        for (Placed tensor : order) {
            if (tensor.begin() != end) {
                throw damaged("tensor '" + tensor.entry().name() + "' begins at " + tensor.begin()
                        + " of the data, but the tensor before it ends at " + end);
            }
            end = tensor.end();
            tensors.put(
                    tensor.entry().name(),
                    new SafetensorsTensor(tensor.entry(), file, content, dataStart + tensor.begin()));
        }
        long have = content.size() - dataStart;
        if (end != have) {
            throw damaged("has " + have + " bytes of data, but its header describes " + end
                    + (have < end ? "; it is cut off (an interrupted download?)" : ""));
        }
        return tensors;
    }

    private SafetensorsException damaged(String problem) {
        return new SafetensorsException(file, problem);
    }
}
