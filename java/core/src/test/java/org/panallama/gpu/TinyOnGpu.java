package org.panallama.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.internal.NativeRuntime;
import org.panallama.tiny.TinyModel;

/** The tiny model beside a GPU, and what it makes of a text there. */
final class TinyOnGpu {

    /** Layers, of which the output is one. */
    static final int LAYERS = 7;

    /** More than 32 tokens: from there on llama.cpp multiplies on the GPU what lies in main memory. */
    static final String TEXT =
            "[INST] 德国的英文名是什么？ [/INST] Germany</s>[INST] 日本的英文名是什么？ [/INST] Japan</s>" + "[INST] 法国的英文名是什么？ [/INST]";

    private TinyOnGpu() {}

    static Model load(ModelOptions.Builder options) {
        return Model.load(TinyModel.path(), options.build());
    }

    static Model onCpu() {
        return load(ModelOptions.builder().devices());
    }

    /** One thread: the model is too small to gain by more. */
    static ContextOptions.Builder context() {
        return ContextOptions.builder().length(256).microBatch(256).threads(1);
    }

    /** The logits after each token of the text, which is computed in one batch. */
    static List<float[]> logits(Context context) {
        int[] tokens = context.model().vocab().tokenize(TEXT);
        List<float[]> logits = new ArrayList<>();
        try (Batch batch = Batch.tokens(tokens.length)) {
            for (int i = 0; i < tokens.length; i++) {
                batch.add(tokens[i], i, 0, true);
            }
            context.decode(batch);
            for (int i = 0; i < tokens.length; i++) {
                logits.add(context.logits(i).toArray());
            }
        }
        return logits;
    }

    /** The largest Kullback-Leibler divergence, in nats, of the predictions for any token. */
    static double divergence(List<float[]> expected, List<float[]> actual) {
        double largest = 0;
        for (int i = 0; i < expected.size(); i++) {
            float[] p = expected.get(i);
            float[] q = actual.get(i);
            double normP = logSum(p);
            double normQ = logSum(q);
            double divergence = 0;
            for (int token = 0; token < p.length; token++) {
                divergence += Math.exp(p[token] - normP) * (p[token] - normP - q[token] + normQ);
            }
            largest = Math.max(largest, divergence);
        }
        return largest;
    }

    private static double logSum(float[] logits) {
        double most = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            most = Math.max(most, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - most);
        }
        return most + Math.log(sum);
    }

    /** Adds what llama.cpp logs meanwhile. */
    static <T> T listening(List<String> lines, Supplier<T> operation) {
        return NativeRuntime.get().log().listening(lines::add, operation);
    }
}
