package org.panallama.natives;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The libraries of a natives jar, unpacked, and what is wrong with them.
 *
 * @param classifier the jar's
 * @param load names of those that are loaded first, in this order
 * @param libraries each by its name
 */
record Natives(String classifier, List<String> load, Map<String, SharedLibrary> libraries) {

    /**
     * Unpacks a jar into the folder, and compares it with its manifest.
     *
     * @throws IOException if it is not what its manifest says
     */
    static Natives unpack(Path jar, String classifier, Path folder) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            String root = "META-INF/panallama/natives/" + classifier;
            Properties manifest = new Properties();
            try (Reader in = new InputStreamReader(open(zip, root + ".properties"), UTF_8)) {
                manifest.load(in);
            }
            Map<String, SharedLibrary> libraries = new TreeMap<>();
            for (String file : manifest.getProperty("files").split(",")) {
                String[] parts = file.split(":");
                Path unpacked = folder.resolve(parts[0]);
                Files.createDirectories(unpacked.getParent());
                String sha256 = copy(open(zip, root + "/" + parts[0]), unpacked);
                if (Files.size(unpacked) != Long.parseLong(parts[1]) || !sha256.equals(parts[2])) {
                    throw new IOException(parts[0] + " has not the size and SHA-256 of the manifest");
                }
                libraries.put(parts[0], SharedLibrary.read(unpacked));
                Files.delete(unpacked);
            }
            long packed = zip.stream()
                    .filter(entry -> !entry.isDirectory() && entry.getName().startsWith(root + "/"))
                    .count();
            if (packed != libraries.size()) {
                throw new IOException("the jar holds " + packed + " libraries, its manifest names " + libraries.size());
            }
            return new Natives(classifier, List.of(manifest.getProperty("load").split(",")), libraries);
        }
    }

    private static InputStream open(ZipFile zip, String name) throws IOException {
        ZipEntry entry = zip.getEntry(name);
        if (entry == null) {
            throw new IOException(zip.getName() + " holds no " + name);
        }
        return zip.getInputStream(entry);
    }

    /** Copies and closes the stream; returns the SHA-256 of what was in it. */
    private static String copy(InputStream from, Path to) throws IOException {
        try (DigestInputStream in = new DigestInputStream(from, MessageDigest.getInstance("SHA-256"))) {
            Files.copy(in, to);
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    Natives without(String library) {
        Map<String, SharedLibrary> rest = new TreeMap<>(libraries);
        rest.remove(library);
        return new Natives(classifier, load, rest);
    }

    /** What keeps the libraries from being loaded on their platform, one sentence each. */
    List<String> problems() {
        TargetSystem system = TargetSystem.of(classifier);
        List<String> problems = new ArrayList<>();
        libraries.forEach((name, library) -> {
            if (!library.format().equals(system.format())
                    || !library.architecture().equals(system.architectureOf(classifier))) {
                problems.add(name + " is for " + library.format() + " " + library.architecture());
            }
            if (library.system().compareTo(system.oldest()) > 0) {
                problems.add(name + " needs " + system.name() + " " + library.system());
            }
            for (String needed : library.needed()) {
                if (!system.has(needed, name)) {
                    problemOf(name, library, needed, system).ifPresent(problems::add);
                }
            }
        });
        return problems;
    }

    /** A library of the jar must lie where the loader looks, or be loaded already by the time it is needed. */
    private Optional<String> problemOf(String name, SharedLibrary library, String needed, TargetSystem system) {
        String file = needed.replaceFirst("^@rpath/", "");
        int position = load.indexOf(name);
        if (position >= 0 ? load.subList(0, position).contains(file) : load.contains(file)) {
            return libraries.containsKey(file)
                    ? Optional.empty()
                    : Optional.of(name + " needs " + needed + ", which is not in the jar");
        }
        if (!libraries.containsKey(name.substring(0, name.lastIndexOf('/') + 1) + file)) {
            return Optional.of(name + " needs " + needed + ", which is neither in the jar nor the system's");
        }
        return system.besideItself().isEmpty() || library.searchPath().contains(system.besideItself())
                ? Optional.empty()
                : Optional.of(name + " needs " + needed + ", but does not look beside itself");
    }
}
