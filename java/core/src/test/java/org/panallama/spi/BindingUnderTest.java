package org.panallama.spi;

import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.NativeRuntime;
import org.panallama.tiny.TinyModel;

/** The binding of the module that runs the contract tests, and what most of them need: the tiny model in a context. */
final class BindingUnderTest {

    /** The first prompt of tiny-mixtral/expected.json, "[INST] 法国的英文名是什么？ [/INST]", and its greedy answer. */
    static final int[] PROMPT = {1, 261, 262, 2425, 580, 2537, 481, 2440, 263, 262, 2425};

    static final int[] ANSWER = {870, 423};

    static final int CONTEXT_LENGTH = 256;
    static final int MAX_SEQUENCES = 4;

    static final Binding BINDING = NativeRuntime.get().binding();

    private BindingUnderTest() {}

    static void restoreLog() {
        BINDING.setLog(NativeRuntime.get().log());
    }

    static ModelParams modelParams() {
        return modelParams(List.of(), false);
    }

    static ModelParams modelParams(List<MetadataParam> metadata, boolean vocabOnly) {
        return new ModelParams(
                null,
                new String[0],
                new long[0],
                0,
                1,
                -1,
                1,
                0,
                null,
                metadata,
                vocabOnly,
                true,
                false,
                false,
                false,
                false);
    }

    static long loadModel() {
        long model = BINDING.modelLoad(new String[] {TinyModel.path().toString()}, modelParams(), null);
        if (model == 0) {
            throw new AssertionError("the tiny model does not load");
        }
        return model;
    }

    static long newContext(long model, long abortFlag, boolean embeddings) {
        return newContext(model, abortFlag, embeddings, null);
    }

    static long newContext(long model, long abortFlag, boolean embeddings, @Nullable EvaluationSink evaluation) {
        int unspecified = -1;
        int f16 = 1;
        long context = BINDING.contextNew(
                model,
                new ContextParams(
                        CONTEXT_LENGTH,
                        64,
                        64,
                        MAX_SEQUENCES,
                        1,
                        1,
                        unspecified,
                        unspecified,
                        unspecified,
                        unspecified,
                        0,
                        0,
                        -1,
                        -1,
                        -1,
                        -1,
                        0,
                        f16,
                        f16,
                        abortFlag,
                        embeddings,
                        true,
                        false,
                        true,
                        false,
                        true,
                        evaluation));
        if (context == 0) {
            throw new AssertionError("no context of the tiny model");
        }
        return context;
    }

    /** Fills a batch with tokens of one sequence from a position on, all of them with output. */
    static void fill(BatchArrays arrays, int[] tokens, int position, int sequence) {
        int maxSequences = arrays.sequences().capacity() / arrays.positions().capacity();
        for (int i = 0; i < tokens.length; i++) {
            arrays.tokens().putInt(i * Integer.BYTES, tokens[i]);
            arrays.positions().putInt(i * Integer.BYTES, position + i);
            arrays.sequenceCounts().putInt(i * Integer.BYTES, 1);
            arrays.sequences().putInt(i * maxSequences * Integer.BYTES, sequence);
            arrays.outputs().put(i, (byte) 1);
        }
    }

    /** Decodes tokens of one sequence and returns llama.cpp's status. */
    static int decode(long context, int[] tokens, int position, int sequence) {
        long batch = BINDING.batchNew(tokens.length, 0, MAX_SEQUENCES);
        try {
            fill(BINDING.batchArrays(batch), tokens, position, sequence);
            return BINDING.decode(context, batch, tokens.length);
        } finally {
            BINDING.batchFree(batch);
        }
    }

    static float[] floats(long address, int count) {
        float[] floats = new float[count];
        BINDING.view(address, count * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer()
                .get(floats);
        return floats;
    }
}
