package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.ALL;
import static org.panallama.ffm.NativeMemory.at;
import static org.panallama.ffm.NativeMemory.pointer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.panallama.ffm.generated.llama_batch;
import org.panallama.spi.BatchArrays;
import org.panallama.spi.BatchCalls;

/**
 * A batch's handle is the address of one block: the {@code llama_batch} that calls pass, the shape that it was made with, and
 * the arrays it points to.
 */
abstract class FfmBatches extends FfmTensors implements BatchCalls {

    private static final long STRUCT_BYTES = llama_batch.sizeof();
    private static final long COUNT = llama_batch.n_tokens$offset();

    private static final long CAPACITY = STRUCT_BYTES;
    private static final long EMBEDDING = CAPACITY + Integer.BYTES;
    private static final long MAX_SEQUENCES = EMBEDDING + Integer.BYTES;
    private static final long NUMBER = MAX_SEQUENCES + Integer.BYTES;
    private static final long ARRAYS = NUMBER + Integer.BYTES;

    /** The {@code llama_batch} of each batch, by its number: a call takes this object, and makes none. */
    private static volatile @Nullable MemorySegment[] structs = new MemorySegment[8];

    /** Where the arrays lie in the block; the ones with wider elements come first, so that all are aligned. */
    private record Layout(int capacity, int embedding, int maxSequences) {

        long sequencePointers() {
            return ARRAYS;
        }

        long input() {
            return sequencePointers() + (long) capacity * Long.BYTES;
        }

        long inputBytes() {
            return (long) capacity * (embedding == 0 ? Integer.BYTES : (long) embedding * Float.BYTES);
        }

        long positions() {
            return input() + inputBytes();
        }

        long sequenceCounts() {
            return positions() + (long) capacity * Integer.BYTES;
        }

        long sequences() {
            return sequenceCounts() + (long) capacity * Integer.BYTES;
        }

        long sequenceBytes() {
            return (long) maxSequences * Integer.BYTES;
        }

        long outputs() {
            return sequences() + capacity * sequenceBytes();
        }

        long end() {
            return outputs() + capacity;
        }
    }

    @Override
    public long batchNew(int capacity, int embedding, int maxSequences) {
        Layout layout = new Layout(capacity, embedding, maxSequences);
        long batch = allocate(layout.end());
        ALL.set(ValueLayout.JAVA_INT, batch + CAPACITY, capacity);
        ALL.set(ValueLayout.JAVA_INT, batch + EMBEDDING, embedding);
        ALL.set(ValueLayout.JAVA_INT, batch + MAX_SEQUENCES, maxSequences);
        for (int i = 0; i < capacity; i++) {
            ALL.set(
                    ValueLayout.JAVA_LONG,
                    batch + layout.sequencePointers() + (long) i * Long.BYTES,
                    batch + layout.sequences() + i * layout.sequenceBytes());
        }
        MemorySegment struct = at(batch, STRUCT_BYTES);
        MemorySegment input = pointer(batch + layout.input());
        llama_batch.token(struct, embedding == 0 ? input : MemorySegment.NULL);
        llama_batch.embd(struct, embedding == 0 ? MemorySegment.NULL : input);
        llama_batch.pos(struct, pointer(batch + layout.positions()));
        llama_batch.n_seq_id(struct, pointer(batch + layout.sequenceCounts()));
        llama_batch.seq_id(struct, pointer(batch + layout.sequencePointers()));
        llama_batch.logits(struct, pointer(batch + layout.outputs()));
        ALL.set(ValueLayout.JAVA_INT, batch + NUMBER, register(struct));
        return batch;
    }

    private static int register(MemorySegment struct) {
        synchronized (FfmBatches.class) {
            int number = 0;
            while (number < structs.length && structs[number] != null) {
                number++;
            }
            MemorySegment[] changed = Arrays.copyOf(structs, Math.max(structs.length, number + 1));
            changed[number] = struct;
            structs = changed;
            return number;
        }
    }

    private static MemorySegment struct(long batch, int count) {
        ALL.set(ValueLayout.JAVA_INT, batch + COUNT, count);
        return structs[ALL.get(ValueLayout.JAVA_INT, batch + NUMBER)];
    }

    @Override
    public void batchFree(long batch) {
        synchronized (FfmBatches.class) {
            structs[ALL.get(ValueLayout.JAVA_INT, batch + NUMBER)] = null;
        }
        free(batch);
    }

    @Override
    public BatchArrays batchArrays(long batch) {
        Layout layout = new Layout(
                ALL.get(ValueLayout.JAVA_INT, batch + CAPACITY),
                ALL.get(ValueLayout.JAVA_INT, batch + EMBEDDING),
                ALL.get(ValueLayout.JAVA_INT, batch + MAX_SEQUENCES));
        ByteBuffer input = NativeMemory.view(batch + layout.input(), layout.inputBytes());
        return new BatchArrays(
                layout.embedding() == 0 ? input : null,
                layout.embedding() == 0 ? null : input,
                NativeMemory.view(batch + layout.positions(), (long) layout.capacity() * Integer.BYTES),
                NativeMemory.view(batch + layout.sequenceCounts(), (long) layout.capacity() * Integer.BYTES),
                NativeMemory.view(batch + layout.sequences(), layout.capacity() * layout.sequenceBytes()),
                NativeMemory.view(batch + layout.outputs(), layout.capacity()));
    }

    @Override
    public int decode(long context, long batch, int count) {
        return TokenFunctions.decode(context, struct(batch, count));
    }

    @Override
    public int encode(long context, long batch, int count) {
        return TokenFunctions.encode(context, struct(batch, count));
    }
}
