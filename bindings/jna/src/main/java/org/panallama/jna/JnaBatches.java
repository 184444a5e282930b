package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.POINTER_BYTES;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.BatchArrays;
import org.panallama.spi.BatchCalls;

/** A batch's handle is its place among the batches, counted from 1. */
abstract class JnaBatches extends JnaTensors implements BatchCalls {

    private static volatile @Nullable Batch[] batches = new Batch[8];

    /**
     * @param struct is passed with each computation; JNA shall not write its fields then
     * @param count {@code n_tokens} in the memory of {@code struct}
     * @param block memory of the arrays
     */
    private record Batch(LlamaBatch struct, ByteBuffer count, long block, BatchArrays arrays) {

        LlamaBatch with(int tokens) {
            count.putInt(0, tokens);
            return struct;
        }
    }

    @Override
    public long batchNew(int capacity, int embedding, int maxSequences) {
        // The arrays with wider elements come first, so that all are aligned.
        long pointerBytes = (long) capacity * POINTER_BYTES;
        long inputBytes = (long) capacity * (embedding == 0 ? Integer.BYTES : (long) embedding * Float.BYTES);
        long intBytes = (long) capacity * Integer.BYTES;
        long sequenceBytes = (long) maxSequences * Integer.BYTES;
        long block = allocate(pointerBytes + inputBytes + 2 * intBytes + capacity * sequenceBytes + capacity);

        LlamaBatch struct = new LlamaBatch();
        struct.seq_id = block;
        long input = struct.seq_id + pointerBytes;
        struct.token = embedding == 0 ? input : 0;
        struct.embd = embedding == 0 ? 0 : input;
        struct.pos = input + inputBytes;
        struct.n_seq_id = struct.pos + intBytes;
        long sequences = struct.n_seq_id + intBytes;
        struct.logits = sequences + capacity * sequenceBytes;
        for (int i = 0; i < capacity; i++) {
            ALL.setLong(struct.seq_id + (long) i * POINTER_BYTES, sequences + i * sequenceBytes);
        }
        struct.write();
        struct.setAutoSynch(false);

        ByteBuffer inputView = NativeMemory.view(input, inputBytes);
        BatchArrays arrays = new BatchArrays(
                embedding == 0 ? inputView : null,
                embedding == 0 ? null : inputView,
                NativeMemory.view(struct.pos, intBytes),
                NativeMemory.view(struct.n_seq_id, intBytes),
                NativeMemory.view(sequences, capacity * sequenceBytes),
                NativeMemory.view(struct.logits, capacity));
        return register(new Batch(struct, struct.getPointer().getByteBuffer(0, Integer.BYTES), block, arrays));
    }

    private static int register(Batch batch) {
        synchronized (JnaBatches.class) {
            int place = 0;
            while (place < batches.length && batches[place] != null) {
                place++;
            }
            Batch[] changed = Arrays.copyOf(batches, Math.max(batches.length, place + 1));
            changed[place] = batch;
            batches = changed;
            return place + 1;
        }
    }

    private static Batch batch(long handle) {
        return batches[(int) handle - 1];
    }

    @Override
    public void batchFree(long batch) {
        long block = batch(batch).block;
        synchronized (JnaBatches.class) {
            batches[(int) batch - 1] = null;
        }
        free(block);
    }

    @Override
    public BatchArrays batchArrays(long batch) {
        return batch(batch).arrays;
    }

    @Override
    public int decode(long context, long batch, int count) {
        return LlamaFunctions.llama_decode(context, batch(batch).with(count));
    }

    @Override
    public int encode(long context, long batch, int count) {
        return LlamaFunctions.llama_encode(context, batch(batch).with(count));
    }
}
