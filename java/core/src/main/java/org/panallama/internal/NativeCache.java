package org.panallama.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Unpacks a natives jar into a folder named by the hash of its content, once for all JVMs of a user.
 *
 * <p>A folder appears complete or not at all: it is filled under another name, every file checked against its SHA-256, and
 * renamed. A lock keeps JVMs from doing the same work twice; where locks do not work, the first rename wins.
 */
final class NativeCache {

    private static final Logger LOG = LoggerFactory.getLogger(NativeCache.class);

    private final CacheFolders folders;
    private final MountTable mounts;

    NativeCache(CacheFolders folders, MountTable mounts) {
        this.folders = folders;
        this.mounts = mounts;
    }

    /**
     * The folder that holds the manifest's files.
     *
     * @throws NativeLookupException if no folder can take them, or the jar is damaged
     */
    Path folderOf(NativeManifest manifest) {
        List<String> failures = new ArrayList<>();
        for (Path cache : List.of(folders.preferred(), folders.fallback())) {
            try {
                Path folder = folderIn(cache, manifest);
                if (!failures.isEmpty()) {
                    LOG.warn("Natives are unpacked to {}, since {}", folder, String.join("; ", failures));
                }
                return folder;
            } catch (IOException e) {
                failures.add(describe(cache, e));
            }
        }
        long bytes =
                manifest.files().stream().mapToLong(NativeManifest.Entry::size).sum();
        throw new NativeLookupException(
                "llama.cpp's libraries (" + bytes / 1_000_000 + " MB, from " + manifest.container()
                        + ") can be unpacked nowhere:\n  " + String.join("\n  ", failures)
                        + "\nName a writable folder, on a filesystem not mounted noexec, with -Dpanallama.cache.dir=DIR or"
                        + " PANALLAMA_CACHE_DIR.");
    }

    private static String describe(Path cache, IOException failure) {
        // The messages of most file system exceptions are the bare path.
        String message = failure.getClass() == IOException.class ? failure.getMessage() : failure.toString();
        return cache + " cannot be used: " + message;
    }

    private Path folderIn(Path cache, NativeManifest manifest) throws IOException {
        Path parent = cache.resolve("natives");
        createPrivately(parent);
        if (cache.equals(folders.fallback())) {
            requireOwn(cache);
        }
        if (mounts.forbidsExecution(parent)) {
            throw new IOException("it is on a filesystem mounted noexec, from which no library can be loaded");
        }
        Path folder = parent.resolve(manifest.hash());
        if (!isComplete(folder, manifest)) {
            try (FileChannel lock = lock(parent.resolve(manifest.hash() + ".lock"))) {
                if (!isComplete(folder, manifest)) {
                    LOG.debug(
                            "Unpacking {} to {} ({})",
                            manifest.container(),
                            folder,
                            lock == null ? "no lock" : "locked");
                    unpack(manifest, folder);
                }
            }
        }
        return folder;
    }

    private static boolean isComplete(Path folder, NativeManifest manifest) throws IOException {
        for (NativeManifest.Entry entry : manifest.files()) {
            try {
                if (Files.size(folder.resolve(entry.name())) != entry.size()) {
                    return false;
                }
            } catch (NoSuchFileException e) {
                return false;
            }
        }
        return true;
    }

    private static void unpack(NativeManifest manifest, Path folder) throws IOException {
        Path part =
                Files.createTempDirectory(folder.getParent(), manifest.hash().substring(0, 12) + ".part");
        try {
            for (NativeManifest.Entry entry : manifest.files()) {
                Path file = part.resolve(entry.name());
                Files.createDirectories(file.getParent());
                unpack(manifest, entry, file);
            }
            if (Files.exists(folder) && !isComplete(folder, manifest)) {
                // Damaged. A running JVM that has it loaded keeps its open files.
                delete(folder);
            }
            Files.move(part, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!isComplete(folder, manifest)) {
                throw e;
            }
            LOG.debug("Another JVM was first to unpack {}", folder);
        } finally {
            delete(part);
        }
    }

    private static void unpack(NativeManifest manifest, NativeManifest.Entry entry, Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
        long size;
        try (InputStream in = openResource(manifest, entry);
                DigestOutputStream out = new DigestOutputStream(Files.newOutputStream(file), digest)) {
            size = in.transferTo(out);
        }
        if (size != entry.size() || !HexFormat.of().formatHex(digest.digest()).equals(entry.sha256())) {
            throw damaged(manifest, entry, "it has not the size and SHA-256 that the jar's manifest says");
        }
    }

    private static InputStream openResource(NativeManifest manifest, NativeManifest.Entry entry) {
        try {
            return manifest.open(entry);
        } catch (IOException e) {
            throw damaged(manifest, entry, e.toString());
        }
    }

    /** No other folder cures this, so it ends the search. */
    private static NativeLookupException damaged(NativeManifest manifest, NativeManifest.Entry entry, String why) {
        return new NativeLookupException(entry.name() + " in " + manifest.container() + " is damaged: " + why
                + ". Fetch panallama-natives again (delete it from the local Maven repository); when repackaging, keep"
                + " resource filtering off.");
    }

    /**
     * Locks the file until the returned channel is closed; {@code null} where the filesystem does not grant it, or where
     * this JVM has it already, through another class loader.
     */
    private static @Nullable FileChannel lock(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            channel.lock();
            return channel;
        } catch (IOException | OverlappingFileLockException e) {
            channel.close();
            return null;
        }
    }

    private static void createPrivately(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(folder);
        }
    }

    /** Code is loaded from the folder, so nobody else may own it or write to it. */
    private static void requireOwn(Path cache) throws IOException {
        if (!cache.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return;
        }
        Path probe = Files.createTempFile(cache, "owner", null);
        try {
            if (!Files.getOwner(cache).equals(Files.getOwner(probe))) {
                throw new IOException("it belongs to another user, " + Files.getOwner(cache));
            }
        } finally {
            Files.delete(probe);
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(cache);
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("others may write to it: " + PosixFilePermissions.toString(permissions));
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
