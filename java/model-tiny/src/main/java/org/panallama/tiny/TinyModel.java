package org.panallama.tiny;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A trained mixture-of-experts model of 13.3 M parameters in the Mixtral architecture, as a GGUF file of 26.7 MB.
 *
 * <p>It answers questions on countries, languages and currencies, recites poems and does small sums, in Chinese and
 * English; the module's README says how well. Prompts look like {@code [INST] 法国的英文名是什么？ [/INST]}.
 *
 * <p>Thread-safe.
 */
public final class TinyModel {

    /** The model's name, and that of its file without the suffix. */
    public static final String NAME = "tiny-mixtral.f16";

    private static final String RESOURCE = NAME + ".gguf";
    static final long SIZE = 26_651_904;
    static final String SHA256 = "72ea81cea0f5e59b1cdcfcba68652940ac9329adc6164a643b76cad2499cfc9c";

    private TinyModel() {}

    /**
     * The path of the GGUF file. The first call unpacks it into the user's cache folder, where later ones, also of other
     * JVMs, find it.
     *
     * <p>The folder is {@code -Dpanallama.cache.dir}, else {@code PANALLAMA_CACHE_DIR}, else the platform's own
     * ({@code $XDG_CACHE_HOME/panallama} or {@code ~/.cache/panallama} on Linux); where none of them can be written, one in
     * {@code java.io.tmpdir}. The file is shared: do not change it.
     *
     * @return the file, complete and checked against its SHA-256 when it was written
     * @throws UncheckedIOException if it can be written nowhere, or is damaged on the class path; the message lists every
     *     folder tried
     */
    public static Path path() {
        List<String> failures = new ArrayList<>();
        for (Path cache : CacheFolders.candidates()) {
            Path folder = cache.resolve("models").resolve(SHA256);
            try {
                return unpackedIn(folder);
            } catch (DamagedModelException e) {
                throw new UncheckedIOException(e);
            } catch (IOException e) {
                failures.add(folder + ": " + e);
            }
        }
        throw new UncheckedIOException(new IOException(
                "The tiny model can be unpacked nowhere. Make one of these folders writable, with 27 MB free, or name"
                        + " another one with -Dpanallama.cache.dir=DIR:\n  " + String.join("\n  ", failures)));
    }

    private static Path unpackedIn(Path folder) throws IOException {
        Path file = folder.resolve(RESOURCE);
        if (isComplete(file)) {
            return file;
        }
        Files.createDirectories(folder);
        Path part = Files.createTempFile(folder, RESOURCE, ".part");
        try {
            unpack(part);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // Where an open file cannot be replaced (Windows), another JVM was first.
            if (e instanceof DamagedModelException || !isComplete(file)) {
                throw e;
            }
        } finally {
            Files.deleteIfExists(part);
        }
        return file;
    }

    private static boolean isComplete(Path file) throws IOException {
        return Files.isRegularFile(file) && Files.size(file) == SIZE;
    }

    private static void unpack(Path part) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
        try (InputStream in = TinyModel.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new DamagedModelException(RESOURCE + " is missing beside " + TinyModel.class.getName()
                        + ": keep resources when repackaging panallama-model-tiny");
            }
            try (DigestOutputStream out = new DigestOutputStream(Files.newOutputStream(part), digest)) {
                in.transferTo(out);
            }
        }
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(SHA256)) {
            throw new DamagedModelException(
                    RESOURCE + " on the class path is damaged: its SHA-256 is " + found + ", not " + SHA256
                            + ". Fetch panallama-model-tiny again, and keep resource filtering off for *.gguf");
        }
    }

    /** Not cured by another folder. */
    private static final class DamagedModelException extends IOException {

        private static final long serialVersionUID = 1;

        DamagedModelException(String message) {
            super(message);
        }
    }
}
