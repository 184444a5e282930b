package org.panallama;

import java.util.Deque;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.LogRouter;
import org.panallama.internal.NativeRuntime;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;

/** Computes the batches of one context: checks what llama.cpp would abort on, and turns its status into an exception. */
final class Decoder {

    private static final int NO_ROOM = 1;
    private static final int ABORTED = 2;

    private final Context context;
    private final Binding binding;
    private final Handle handle;
    private final LogRouter log = NativeRuntime.get().log();
    private final @Nullable Observation observation;
    private final Deque<String> decodeLog = LogRouter.newKeeper();
    private long computations;

    Decoder(Context context, Binding binding, Handle handle) {
        this.context = context;
        this.binding = binding;
        this.handle = handle;
        this.observation = context.observation();
    }

    /** How many batches were computed; tells views of an earlier output from current ones. */
    long computations() {
        return computations;
    }

    /** Asks for an output without llama.cpp's own words where it is not there; the caller throws. */
    long quietly(LongSupplier question) {
        Deque<String> outer = log.keep(decodeLog);
        try {
            return question.getAsLong();
        } finally {
            log.keep(outer);
        }
    }

    void compute(Batch batch, boolean encode) {
        long address = handle.enter();
        context.abort().begin();
        Deque<String> outer = log.keep(decodeLog);
        int status;
        try {
            decodeLog.clear();
            if (observation != null) {
                observation.begin();
            }
            check(batch, encode);
            context.abort().check();
            computations++;
            long batchAddress = batch.handle().enter();
            try {
                status = encode
                        ? binding.encode(address, batchAddress, batch.size())
                        : binding.decode(address, batchAddress, batch.size());
            } finally {
                batch.handle().exit();
            }
            if (observation != null) {
                observation.end();
            }
            if (status != 0) {
                throw failure(status, batch);
            }
        } finally {
            log.keep(outer);
            context.abort().end();
            handle.exit();
        }
    }

    private void check(Batch batch, boolean encode) {
        int size = batch.size();
        if (size == 0) {
            throw new IllegalArgumentException("the batch is empty");
        }
        int most = encode ? context.microBatchSize() : context.textBatchSize();
        if (size > most) {
            throw new IllegalArgumentException("the batch has " + size + " tokens, at most " + most
                    + " can be computed at once:" + " split it, or open the context with a larger "
                    + (most == context.microBatchSize() ? "microBatch" : "batch"));
        }
        if (batch.holdsEmbeddings()) {
            int width = context.model().inputEmbeddingSize();
            if (batch.embeddingSize() != width) {
                throw new IllegalArgumentException(
                        "the batch has embeddings of " + batch.embeddingSize() + " numbers, the model takes " + width);
            }
        } else {
            Require.index("token", batch.largestToken(), context.vocabSize());
        }
        Require.index("sequence", batch.largestSequence(), context.sequences());
        Require.index("position", batch.largestPosition(), context.positions());
    }

    private RuntimeException failure(int status, Batch batch) {
        switch (status) {
            case ABORTED:
                return new CancellationException("The computation was cancelled");
            case NO_ROOM:
                return new DecodeException(
                        "No room for " + batch.size() + " tokens in a context of " + context.length()
                                + ": remove sequences from its" + " memory, or open a longer one."
                                + LogRouter.explain(decodeLog),
                        status);
            default:
                return new DecodeException(
                        "llama.cpp cannot compute a batch of " + batch.size() + " tokens (status " + status + ")."
                                + LogRouter.explain(decodeLog),
                        status);
        }
    }
}
