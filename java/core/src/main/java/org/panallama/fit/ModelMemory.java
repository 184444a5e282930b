package org.panallama.fit;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.panallama.KvCacheSize;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;
import org.panallama.internal.GgufPreflight;
import org.panallama.internal.GgufType;
import org.panallama.internal.GgufValue;
import org.panallama.internal.ModelSummary;

/** What a model takes of memory, from the header of its file. Immutable. */
public final class ModelMemory {

    private static final int CACHE_STEP = 256; // llama.cpp rounds contexts up to a multiple

    private final ModelSummary summary;
    private final Map<String, String> numbers = new HashMap<>();

    private ModelMemory(ModelSummary summary) {
        this.summary = summary;
        summary.file().metadata().forEach((key, value) -> {
            if (!value.isArray() && value.type() != GgufType.STRING) {
                numbers.put(key, String.valueOf((long) value.number(0)));
            }
        });
        numbers.put("general.architecture", summary.architecture());
    }

    /**
     * Reads the header of a file, and of the other parts of a split model.
     *
     * @throws ModelLoadException if it could not be loaded
     */
    public static ModelMemory read(Path file) {
        return new ModelMemory(GgufPreflight.check(file));
    }

    /** Of a model whose header was read and checked, which the library itself has done when it loads one. */
    @SuppressWarnings("exports")
    public static ModelMemory of(ModelSummary summary) {
        return new ModelMemory(summary);
    }

    /** The tensors as they are in the file. */
    public Weights weights() {
        return weights(List.of());
    }

    /**
     * The tensors as they are in the file, some of which stay in main memory.
     *
     * @param inMainMemory patterns, each searched for anywhere in a tensor's name
     */
    public Weights weights(List<Pattern> inMainMemory) {
        List<Weights.Tensor> tensors = summary.tensors().stream()
                .map(tensor -> new Weights.Tensor(tensor.name(), tensor.elements(), tensor.bytes()))
                .toList();
        return Weights.of("this file", layers(), tensors, inMainMemory);
    }

    /** The number of layers. */
    public int layers() {
        return (int) summary.number("block_count");
    }

    /** Tokens of the longest context that the model was trained for, 0 if its file does not say. */
    public long trainedLength() {
        return summary.number("context_length");
    }

    /**
     * The need of the file as it is.
     *
     * <p>The estimate of {@code compute} is for flash attention, which contexts use wherever it is supported: what is alive at
     * the widest point of llama.cpp's graph for a micro-batch of tokens in F32. That is either the logits beside two hidden
     * states; or in a layer the up and gate projections of all experts used and their product, four hidden states and the
     * attention's mask. For the architectures measured it is within 5 % or 1 MiB of what llama.cpp reserves.
     *
     * @param contextLength tokens
     * @param keys format of the keys in the KV cache
     * @param values format of its values
     * @param microBatch tokens computed at once
     */
    public MemoryNeed need(long contextLength, TensorType keys, TensorType values, int microBatch) {
        return need(weights(), contextLength, keys, values, microBatch);
    }

    /** The need with the tensors in another file type. */
    public MemoryNeed need(Weights weights, long contextLength, TensorType keys, TensorType values, int microBatch) {
        return new MemoryNeed(
                contextLength,
                keys,
                values,
                microBatch,
                weights.bytes(),
                KvCacheSize.bytes(numbers, contextLength, keys, values),
                compute(contextLength, microBatch));
    }

    /** What {@code compute} has to be besides where attention is not flash attention: the scores of all heads in F32. */
    public long attentionScores(long contextLength, int microBatch) {
        long cells = cells(contextLength);
        return summary.number("attention.head_count") * cells * Math.min(cells, microBatch) * Float.BYTES;
    }

    /** Most tokens of context, at most as many as trained for, for which the need is within a size; 0 if there are none. */
    public long longestContext(Weights weights, TensorType keys, TensorType values, int microBatch, long bytes) {
        long low = 0;
        long high = trainedLength() / CACHE_STEP;
        if (need(weights, trainedLength(), keys, values, microBatch).total() <= bytes) {
            return trainedLength();
        }
        while (low < high) {
            long middle = (low + high + 1) / 2;
            if (need(weights, middle * CACHE_STEP, keys, values, microBatch).total() <= bytes) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low * CACHE_STEP;
    }

    private long compute(long contextLength, int microBatch) {
        long cells = cells(contextLength);
        long tokens = Math.min(cells, microBatch);
        long hidden = summary.number("embedding_length");
        long heads = summary.number("attention.head_count");
        long queries = Math.max(hidden, heads * summary.number("attention.key_length"));
        long used = Math.max(1, summary.number("expert_used_count"));
        long wide =
                Math.max(used * summary.number("expert_feed_forward_length"), summary.number("feed_forward_length"));
        if (summary.number("expert_feed_forward_length") == 0) {
            wide *= used;
        }
        // What the experts put out goes where the projections were, if it fits there.
        long outputs = used * hidden > 2 * wide ? used * hidden : 0;
        long masks = cells * tokens * Short.BYTES * (summary.number("attention.sliding_window") > 0 ? 2 : 1);
        long feedForward = 3 * wide + outputs + 3 * hidden + queries;
        long layer = tokens * Math.max(feedForward, 6 * queries) * Float.BYTES + masks;
        return Math.max(layer, tokens * (vocabulary() + 2 * hidden) * Float.BYTES);
    }

    private static long cells(long contextLength) {
        return (contextLength + CACHE_STEP - 1) / CACHE_STEP * CACHE_STEP;
    }

    private long vocabulary() {
        GgufValue tokens = summary.file().metadata().get("tokenizer.ggml.tokens");
        return tokens == null ? summary.number("vocab_size") : tokens.length();
    }
}
