package org.panallama.gguf;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufHash.Algorithm;
import org.panallama.gguf.internal.WholeFile;

/**
 * Hashes of a model that were written down, in the lines that {@code panallama gguf hash} and llama.cpp's
 * {@code gguf-hash} print: {@code sha1      59f79ecefd81…  model.gguf:blk.0.attn_q.weight} for a tensor, the name of the
 * file alone for the whole model. Immutable.
 */
public final class GgufManifest {

    /** How a hash compares with the one that was written down. */
    public enum Result {
        /** They are the same. */
        OK,
        /** They differ. */
        MISMATCH,
        /** None was written down. */
        NOT_FOUND
    }

    private record Line(Algorithm algorithm, String hash, String name) {}

    private record Key(Algorithm algorithm, String name) {}

    private static final Pattern LINE = Pattern.compile("(\\w+)\\s+([0-9a-fA-F-]+)\\s+(.+)");

    private final Set<Algorithm> algorithms;
    private final String file;
    private final Map<Key, String> hashes = new HashMap<>();

    private GgufManifest(String file, List<Line> lines) {
        this.file = file;
        EnumSet<Algorithm> found = EnumSet.noneOf(Algorithm.class);
        for (Line line : lines) {
            if (line.name().equals(file) || line.name().startsWith(file + ":")) {
                hashes.putIfAbsent(new Key(line.algorithm(), line.name()), line.hash());
                found.add(line.algorithm());
            }
        }
        this.algorithms = Collections.unmodifiableSet(found);
    }

    /**
     * Reads what a manifest has about a model. The model's path counts as the manifest has it; where it is not there, a
     * file of the same name in another folder does.
     *
     * @param manifest lines of hashes; all others are passed over
     * @param model path of the model
     * @throws IOException if the manifest cannot be read, is no text, has no hashes of the model, or has those of
     *     several files of its name; the message says which it has
     */
    public static GgufManifest read(Path manifest, Path model) throws IOException {
        List<Line> lines = new ArrayList<>();
        for (String text : text(manifest).lines().toList()) {
            Matcher line = LINE.matcher(text.stripTrailing());
            if (line.matches()) {
                for (Algorithm algorithm : Algorithm.values()) {
                    if (line.group(1).equals(algorithm.label())) {
                        lines.add(new Line(algorithm, line.group(2), line.group(3)));
                    }
                }
            }
        }
        if (lines.isEmpty()) {
            throw new IOException(manifest + " has no line with a hash (sha256, sha1, xxh64 or uuid), so it is no"
                    + " manifest; 'gguf hash' prints them");
        }
        return new GgufManifest(file(manifest, lines, model), lines);
    }

    private static String text(Path manifest) throws IOException {
        try {
            return WholeFile.text(manifest);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(manifest.toString(), null, "no such file");
        } catch (IOException e) {
            throw new IOException(manifest + " is no manifest, as 'gguf hash' prints them: " + e.getMessage(), e);
        }
    }

    /** The model's path as it stands in the manifest. */
    private static String file(Path manifest, List<Line> lines, Path model) throws IOException {
        String name = String.valueOf(model.getFileName());
        Pattern elsewhere = Pattern.compile("(.*[/\\\\])?" + Pattern.quote(name) + "(?=$|:)");
        Set<String> found = new TreeSet<>();
        for (Line line : lines) {
            if (line.name().equals(model.toString()) || line.name().startsWith(model + ":")) {
                return model.toString();
            }
            Matcher path = elsewhere.matcher(line.name());
            if (path.lookingAt()) {
                found.add(path.group());
            }
        }
        if (found.size() == 1) {
            return found.iterator().next();
        }
        if (found.isEmpty()) {
            throw new IOException(manifest + " has no hashes of " + model + "; it begins with those of "
                    + lines.get(0).name());
        }
        throw new IOException(manifest + " has hashes of several files of this name: " + String.join(", ", found)
                + "; give the path of one of them");
    }

    /** Which kinds of hashes it has of the model. */
    public Set<Algorithm> algorithms() {
        return algorithms;
    }

    /**
     * Compares a hash of all data.
     *
     * @param hash lower-case hexadecimal
     */
    public Result check(Algorithm algorithm, String hash) {
        return check(algorithm, null, hash);
    }

    /**
     * Compares a hash of a tensor.
     *
     * @param tensor its name, or null for all data
     * @param hash lower-case hexadecimal
     */
    public Result check(Algorithm algorithm, @Nullable String tensor, String hash) {
        String written = hashes.get(new Key(algorithm, tensor == null ? file : file + ":" + tensor));
        if (written == null) {
            return Result.NOT_FOUND;
        }
        return written.equalsIgnoreCase(hash) ? Result.OK : Result.MISMATCH;
    }
}
