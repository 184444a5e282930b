package org.panallama.tools.table;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.panallama.LlamaException;

/** What tells models and texts from each other. */
final class Fingerprint {

    private static final int ENDS = 1 << 20;

    private Fingerprint() {}

    static String of(String text) {
        return hex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Of a large file: its size and both ends, of which the first has all metadata and the list of tensors. */
    static String of(Path file) {
        try (FileChannel channel = FileChannel.open(file)) {
            MessageDigest digest = sha256();
            digest.update(read(channel, 0));
            digest.update(read(channel, Math.max(0, channel.size() - ENDS)));
            return channel.size() + "-" + hex(digest.digest());
        } catch (IOException e) {
            throw new LlamaException(file + ": cannot be read: " + e, e);
        }
    }

    private static ByteBuffer read(FileChannel channel, long offset) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(ENDS, channel.size()));
        while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {
            // until all is there
        }
        return bytes.flip();
    }

    private static String hex(byte[] digest) {
        return HexFormat.of().formatHex(digest, 0, 16);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
