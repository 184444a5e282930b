package org.panallama.tools.perplexity;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.panallama.LlamaException;

/**
 * The predictions of a model for every scored token of a text, in the format of {@code llama-perplexity --save-all-logits}:
 * little-endian; eight bytes {@code _logits_}; context length, size of the vocabulary, number of windows, and the windows'
 * tokens, 32 bits each; then a row for each scored token, see {@link LogitRow#storedBytes}. A row cannot tell probabilities
 * below e^-16 of the largest apart, which falsifies the perplexity of a model that is often sure and wrong; therefore ours go
 * on with {@code _nll_f32} and each scored token's negative log-likelihood, which llama.cpp does not read.
 */
final class LogitsFile implements AutoCloseable {

    private static final byte[] MAGIC = "_logits_".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NLL_MAGIC = "_nll_f32".getBytes(StandardCharsets.US_ASCII);
    private static final int HEADER_BYTES = MAGIC.length + 3 * Integer.BYTES;
    private static final int LARGEST_VOCABULARY = 1 << 24;
    private static final int BUFFER = 1 << 20;

    /** With any vocabulary of use, the file would have some terabytes. */
    private static final int MOST_TOKENS = 1 << 26;

    /** How far a logarithm of a probability may be above 0 because it was computed in single precision. */
    private static final float ROUNDING = 0.01f;

    private final Path path;
    private final InputStream in;
    private final int contextLength;
    private final int vocabSize;
    private final int windows;
    private final int[] tokens;
    private final float[] nll;

    private LogitsFile(Path path, InputStream in) throws IOException {
        this.path = path;
        this.in = in;
        ByteBuffer header = littleEndian(in.readNBytes(HEADER_BYTES));
        if (header.limit() < HEADER_BYTES || !Arrays.equals(header.array(), 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new LlamaException(path + ": not a file of logits as --save-logits writes it");
        }
        contextLength = header.getInt(MAGIC.length);
        vocabSize = header.getInt(MAGIC.length + Integer.BYTES);
        windows = header.getInt(MAGIC.length + 2 * Integer.BYTES);
        long size = Files.size(path);
        if (contextLength < 4
                || contextLength > Perplexity.LONGEST_CONTEXT
                || vocabSize < 1
                || vocabSize > LARGEST_VOCABULARY
                || windows < 1) {
            throw damaged("it has " + windows + " windows of " + contextLength + " tokens with a vocabulary of "
                    + vocabSize + ", must have from 1 window of from 4 to " + Perplexity.LONGEST_CONTEXT
                    + " tokens with a vocabulary of from 1 to " + LARGEST_VOCABULARY);
        }
        long scored = contextLength - 1L - contextLength / 2;
        long windowBytes = (long) contextLength * Integer.BYTES + scored * LogitRow.storedBytes(vocabSize);
        // Before they are multiplied: the product of damaged numbers may not fit 64 bits.
        if (windows > size / windowBytes) {
            throw damaged(size + " bytes, where each of " + windows + " windows of " + contextLength
                    + " tokens with a vocabulary of " + vocabSize + " takes " + windowBytes);
        }
        long rowsEnd = HEADER_BYTES + windows * windowBytes;
        long withNll = rowsEnd + NLL_MAGIC.length + windows * scored * Float.BYTES;
        if (size != rowsEnd && size != withNll) {
            throw damaged(size + " bytes, where " + windows + " windows of " + contextLength
                    + " tokens with a vocabulary of " + vocabSize + " take " + rowsEnd);
        }
        if ((long) windows * contextLength > MOST_TOKENS) {
            throw damaged("its " + windows + " windows of " + contextLength + " tokens are more than " + MOST_TOKENS
                    + " tokens");
        }
        tokens = readTokens(windows * contextLength);
        nll = size == withNll ? readNll(rowsEnd, (int) (windows * scored)) : new float[0];
    }

    private int[] readTokens(int count) throws IOException {
        int[] read = new int[count];
        littleEndian(in.readNBytes(count * Integer.BYTES)).asIntBuffer().get(read);
        for (int i = 0; i < count; i++) {
            if (read[i] < 0 || read[i] >= vocabSize) {
                throw damaged("its token " + i + " is " + read[i] + ", must be from 0 to " + (vocabSize - 1));
            }
        }
        return read;
    }

    private LlamaException damaged(String what) {
        return new LlamaException(path + ": damaged: " + what);
    }

    private float[] readNll(long offset, int count) throws IOException {
        ByteBuffer bytes = littleEndian(new byte[NLL_MAGIC.length + count * Float.BYTES]);
        try (FileChannel channel = FileChannel.open(path)) {
            while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {
                // until all is there
            }
        }
        if (bytes.hasRemaining()
                || !Arrays.equals(bytes.array(), 0, NLL_MAGIC.length, NLL_MAGIC, 0, NLL_MAGIC.length)) {
            throw damaged("its likelihoods are not where they should be");
        }
        float[] values = new float[count];
        bytes.position(NLL_MAGIC.length);
        bytes.asFloatBuffer().get(values);
        for (int i = 0; i < count; i++) {
            if (!(values[i] > -ROUNDING && values[i] <= Float.MAX_VALUE)) {
                throw damaged("its likelihood " + i + " is " + values[i] + ", must be finite and not negative");
            }
        }
        return values;
    }

    /**
     * Opens a file to read its rows.
     *
     * @throws LlamaException if it is missing, damaged, or something else
     */
    static LogitsFile open(Path path) {
        InputStream in = null;
        try {
            in = new BufferedInputStream(Files.newInputStream(path), BUFFER);
            return new LogitsFile(path, in);
        } catch (IOException | RuntimeException e) {
            if (in != null) {
                closeQuietly(in);
            }
            if (e instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            throw new LlamaException(
                    path + (e instanceof NoSuchFileException ? ": no such file" : ": cannot be read: " + e), e);
        }
    }

    private static void closeQuietly(InputStream in) {
        try {
            in.close();
        } catch (IOException e) {
            // There is a better error to report.
        }
    }

    int contextLength() {
        return contextLength;
    }

    int vocabSize() {
        return vocabSize;
    }

    int windows() {
        return windows;
    }

    int[] tokens() {
        return tokens;
    }

    /** Negative log-likelihood of a scored token, from the file where that has it. */
    double nll(int index, double fromRow) {
        return index < nll.length ? nll[index] : fromRow;
    }

    /**
     * Reads the next row.
     *
     * @throws LlamaException if it holds no probabilities
     */
    void read(ByteBuffer row) throws IOException {
        int read = in.readNBytes(row.array(), 0, row.capacity());
        if (read < row.capacity()) {
            throw new EOFException(path + " ends before its last row");
        }
        float scale = row.getFloat(0);
        float least = row.getFloat(Float.BYTES);
        if (!(scale >= 0 && Float.isFinite(least) && LogitRow.largest(scale, least) < ROUNDING)) {
            throw damaged(
                    "a row has log-probabilities from " + least + " in steps of " + scale + ", none can be above 0");
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** Writes a file, row by row. */
    static final class Recorder implements AutoCloseable {

        private final OutputStream out;
        private final ByteBuffer nll;

        Recorder(Path path, Windows windows, int vocabSize) throws IOException {
            out = new BufferedOutputStream(Files.newOutputStream(path), BUFFER);
            int count = windows.count() * windows.length();
            ByteBuffer header = littleEndian(new byte[HEADER_BYTES + count * Integer.BYTES]);
            header.put(MAGIC).putInt(windows.length()).putInt(vocabSize).putInt(windows.count());
            header.asIntBuffer().put(windows.tokens(), 0, count);
            out.write(header.array());
            nll = littleEndian(new byte[NLL_MAGIC.length + Math.multiplyExact(windows.scored(), Float.BYTES)]);
            nll.put(NLL_MAGIC);
        }

        void write(LogitRow row) throws IOException {
            out.write(row.stored().array());
            nll.putFloat((float) row.nll());
        }

        /** After the last row. */
        void finish() throws IOException {
            out.write(nll.array());
            out.flush();
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
