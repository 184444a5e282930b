package org.panallama.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;

/** Natives jars with small files in place of libraries, as the build lays them out. */
final class FakeNatives {

    static final Platform LINUX = Platform.of("Linux", "amd64", "64", false);

    private final Map<String, byte[]> libraries = new TreeMap<>();
    private final Map<String, byte[]> packed = new LinkedHashMap<>();
    private final String version;
    private final String classifier;

    FakeNatives(String version) {
        this(version, LINUX.name());
    }

    FakeNatives(String version, String classifier) {
        this.version = version;
        this.classifier = classifier;
        for (String name : new String[] {
            "libggml-base.so", "libggml." + version + ".so", "libllama." + version + ".so", "libggml-cpu-x64.so"
        }) {
            libraries.put(name, ("the content of " + name).getBytes(StandardCharsets.UTF_8));
        }
        packed.putAll(libraries);
    }

    /** Puts other bytes into the jar than its manifest says. */
    FakeNatives damage(String name) {
        packed.put(name, "x".repeat(libraries.get(name).length).getBytes(StandardCharsets.UTF_8));
        return this;
    }

    FakeNatives add(String name) {
        libraries.put(name, ("the content of " + name).getBytes(StandardCharsets.UTF_8));
        packed.put(name, libraries.get(name));
        return this;
    }

    FakeNatives leaveOut(String name) {
        packed.remove(name);
        return this;
    }

    /** Makes one of the files take a while to unpack. */
    FakeNatives enlarge(String name, int bytes) {
        libraries.put(name, new byte[bytes]);
        packed.put(name, new byte[bytes]);
        return this;
    }

    String hash() {
        StringBuilder lines = new StringBuilder();
        libraries.forEach((name, content) ->
                lines.append(name).append(' ').append(sha256(content)).append('\n'));
        return sha256(lines.toString().getBytes(StandardCharsets.UTF_8));
    }

    Path writeJar(Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry("META-INF/panallama/natives/" + classifier + ".properties"));
            out.write(manifest().getBytes(StandardCharsets.UTF_8));
            for (Map.Entry<String, byte[]> file : packed.entrySet()) {
                out.putNextEntry(new ZipEntry("META-INF/panallama/natives/" + classifier + "/" + file.getKey()));
                out.write(file.getValue());
            }
        }
        return jar;
    }

    private String manifest() {
        StringBuilder files = new StringBuilder();
        libraries.forEach((name, content) -> files.append(files.length() == 0 ? "" : ",")
                .append(name + ":" + content.length + ":" + sha256(content)));
        return "llama.version=" + version + "\nhash=" + hash() + "\nload=libggml-base.so,libggml." + version
                + ".so,libllama." + version + ".so\nfiles=" + files + "\n";
    }

    void writeFolder(Path folder) {
        libraries.keySet().forEach(name -> {
            try {
                Files.write(folder.resolve(name), emptyElf());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** The header of a library for Linux x86-64 that holds nothing. */
    static byte[] emptyElf() {
        ByteBuffer header = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0, 0x464c457f).put(4, (byte) 2).putShort(18, (short) 62).putShort(54, (short) 56);
        return header.array();
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
