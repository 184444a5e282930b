package org.panallama;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatSession.Turn;
import org.panallama.PromptTokenizer.Answer;
import org.panallama.internal.AtomicFile;

/**
 * A conversation in a file, big-endian: magic (8 bytes), length (4) and CRC-32C (8) of the text part, the text part, and the
 * state of sequence 0 as {@link ContextState} writes it. The text part: system message, turns, the tokens in that state.
 */
final class ChatFile {

    private static final long MAGIC = 0x5043484154310000L; // "PCHAT1" and two zeros
    private static final int HEADER = 2 * Long.BYTES + Integer.BYTES;
    private static final int SEQUENCE = 0;

    private ChatFile() {}

    /** What is said, without what the context remembers of it. */
    record Conversation(@Nullable String system, List<Turn> turns) {}

    /** What the text part holds. */
    private record Text(Conversation conversation, int[] remembered) {}

    static void save(Path file, Context context, Conversation conversation) {
        AtomicFile.write(file, temporary -> {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                byte[] text = write(conversation, context.transcript().tokens());
                ByteBuffer header = ByteBuffer.allocate(HEADER + text.length);
                header.putLong(MAGIC)
                        .putInt(text.length)
                        .putLong(checksum(text))
                        .put(text)
                        .flip();
                while (header.hasRemaining()) {
                    channel.write(header);
                }
                context.state().write(channel, SEQUENCE, new int[0]);
                channel.force(true);
            }
        });
    }

    static Conversation load(Path file, Context context) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            Text text = read(channel, file);
            context.state().restore(channel, SEQUENCE, channel.size() - channel.position(), file.toString());
            context.transcript().remember(text.remembered);
            return text.conversation;
        } catch (IOException e) {
            throw new LlamaException("Cannot read the conversation in " + file + ": " + e, e);
        }
    }

    private static Text read(FileChannel channel, Path file) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        fill(header, channel, file);
        if (header.getLong() != MAGIC) {
            throw new LlamaException(file + " is no saved conversation of Panallama");
        }
        int length = header.getInt();
        long checksum = header.getLong();
        if (length < 0 || length > channel.size() - HEADER) {
            throw damaged(file, "its header states more than there is");
        }
        ByteBuffer text = ByteBuffer.allocate(length);
        fill(text, channel, file);
        if (checksum(text.array()) != checksum) {
            throw damaged(file, "its checksum is wrong");
        }
        return read(new DataInputStream(new ByteArrayInputStream(text.array())));
    }

    private static void fill(ByteBuffer target, FileChannel channel, Path file) throws IOException {
        while (target.hasRemaining()) {
            if (channel.read(target) < 0) {
                throw damaged(file, "it is cut off");
            }
        }
        target.flip();
    }

    private static LlamaException damaged(Path file, String how) {
        return new LlamaException("The conversation in " + file + " is damaged: " + how);
    }

    private static byte[] write(Conversation conversation, int[] remembered) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        write(out, conversation.system);
        out.writeInt(conversation.turns.size());
        for (Turn turn : conversation.turns) {
            write(out, turn.question());
            write(out, turn.answer());
            Answer tokens = turn.tokens();
            write(out, tokens == null ? null : tokens.cue());
            if (tokens != null) {
                write(out, tokens.ids());
            }
        }
        write(out, remembered);
        return bytes.toByteArray();
    }

    private static Text read(DataInputStream in) throws IOException {
        String system = readString(in);
        List<Turn> turns = new ArrayList<>();
        for (int left = in.readInt(); left > 0; left--) {
            String question = String.valueOf(readString(in));
            String answer = String.valueOf(readString(in));
            String cue = readString(in);
            turns.add(new Turn(question, answer, cue == null ? null : new Answer(readInts(in), cue)));
        }
        return new Text(new Conversation(system, List.copyOf(turns)), readInts(in));
    }

    private static void write(DataOutputStream out, @Nullable String text) throws IOException {
        if (text == null) {
            out.writeInt(-1);
        } else {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            out.writeInt(utf8.length);
            out.write(utf8);
        }
    }

    private static @Nullable String readString(DataInputStream in) throws IOException {
        int length = in.readInt();
        return length < 0 ? null : new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }

    private static void write(DataOutputStream out, int[] values) throws IOException {
        out.writeInt(values.length);
        for (int value : values) {
            out.writeInt(value);
        }
    }

    private static int[] readInts(DataInputStream in) throws IOException {
        int[] values = new int[in.readInt()];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.readInt();
        }
        return values;
    }

    private static long checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return crc.getValue();
    }
}
