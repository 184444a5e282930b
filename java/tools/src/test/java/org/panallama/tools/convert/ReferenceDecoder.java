package org.panallama.tools.convert;

/**
 * The forward pass of the decoders as Transformers defines it, plainly: nothing is permuted, stacked or fused. It exists to
 * be compared with.
 */
final class ReferenceDecoder {

    private final RandomCheckpoint model;
    private final boolean renormalizesExperts;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headSize;
    private final double epsilon;
    private final ReferenceRotation rotation;

    ReferenceDecoder(RandomCheckpoint model, boolean renormalizesExperts) {
        this.model = model;
        this.renormalizesExperts = renormalizesExperts;
        hidden = model.size("hidden_size");
        heads = model.size("num_attention_heads");
        kvHeads = model.size("num_key_value_heads");
        headSize = model.config().has("head_dim") ? model.size("head_dim") : hidden / heads;
        epsilon = model.config().has("rms_norm_eps")
                ? model.config().get("rms_norm_eps").getAsDouble()
                : 1e-5;
        rotation = new ReferenceRotation(model.config(), headSize);
    }

    float[][] logits(int... tokens) {
        float[] embedding = model.values("model.embed_tokens.weight");
        float[] head = model.has("lm_head.weight") ? model.values("lm_head.weight") : embedding;
        float[][] x = new float[tokens.length][hidden];
        for (int t = 0; t < tokens.length; t++) {
            System.arraycopy(embedding, tokens[t] * hidden, x[t], 0, hidden);
        }
        for (int layer = 0; layer < model.size("num_hidden_layers"); layer++) {
            String name = "model.layers." + layer + ".";
            attend(x, name);
            for (float[] state : x) {
                add(state, feedForward(norm(state, name + "post_attention_layernorm.weight"), name));
            }
        }
        float[][] logits = new float[tokens.length][];
        for (int t = 0; t < tokens.length; t++) {
            logits[t] = multiply(head, norm(x[t], "model.norm.weight"));
        }
        return logits;
    }

    private void attend(float[][] x, String layer) {
        String name = layer + "self_attn.";
        float[][] q = new float[x.length][];
        float[][] k = new float[x.length][];
        float[][] v = new float[x.length][];
        for (int t = 0; t < x.length; t++) {
            float[] normed = norm(x[t], layer + "input_layernorm.weight");
            q[t] = rotate(headNorm(linear(name + "q_proj", normed), name + "q_norm.weight"), heads, t);
            k[t] = rotate(headNorm(linear(name + "k_proj", normed), name + "k_norm.weight"), kvHeads, t);
            v[t] = linear(name + "v_proj", normed);
        }
        for (int t = 0; t < x.length; t++) {
            float[] mixed = new float[heads * headSize];
            for (int h = 0; h < heads; h++) {
                int kv = h / (heads / kvHeads) * headSize;
                double[] weights = new double[t + 1];
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < headSize; i++) {
                        weights[s] += q[t][h * headSize + i] * k[s][kv + i] / Math.sqrt(headSize);
                    }
                }
                softmax(weights);
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < headSize; i++) {
                        mixed[h * headSize + i] += (float) (weights[s] * v[s][kv + i]);
                    }
                }
            }
            add(x[t], linear(name + "o_proj", mixed));
        }
    }

    /** Over each head, or over all of them, as large as the weight is. */
    private float[] headNorm(float[] x, String weight) {
        if (!model.has(weight)) {
            return x;
        }
        int size = model.values(weight).length;
        float[] result = new float[x.length];
        for (int start = 0; start < x.length; start += size) {
            float[] part = new float[size];
            System.arraycopy(x, start, part, 0, size);
            System.arraycopy(norm(part, weight), 0, result, start, size);
        }
        return result;
    }

    /** The two halves of a head turn together. */
    private float[] rotate(float[] x, int count, int position) {
        int half = headSize / 2;
        float[] result = new float[x.length];
        for (int h = 0; h < count; h++) {
            for (int i = 0; i < half; i++) {
                double cos = rotation.magnitude() * Math.cos(position * rotation.frequency(i));
                double sin = rotation.magnitude() * Math.sin(position * rotation.frequency(i));
                int at = h * headSize + i;
                result[at] = (float) (x[at] * cos - x[at + half] * sin);
                result[at + half] = (float) (x[at + half] * cos + x[at] * sin);
            }
        }
        return result;
    }

    private float[] feedForward(float[] x, String layer) {
        if (model.has(layer + "mlp.gate_proj.weight")) {
            return gated(x, layer + "mlp.gate_proj", layer + "mlp.up_proj", layer + "mlp.down_proj");
        }
        boolean mixtral = model.has(layer + "block_sparse_moe.gate.weight");
        String moe = layer + (mixtral ? "block_sparse_moe." : "mlp.");
        float[] scores = multiply(model.values(moe + "gate.weight"), x);
        double[] share = new double[scores.length];
        for (int e = 0; e < share.length; e++) {
            share[e] = scores[e];
        }
        softmax(share);
        float[] sum = new float[hidden];
        double[] chosen = new double[share.length];
        double total = 0;
        for (int n = 0; n < model.size("num_experts_per_tok"); n++) {
            int best = 0;
            for (int e = 1; e < share.length; e++) {
                best = share[e] > share[best] ? e : best;
            }
            chosen[best] = share[best];
            total += share[best];
            share[best] = -1;
        }
        for (int e = 0; e < chosen.length; e++) {
            if (chosen[e] > 0) {
                String expert = moe + "experts." + e + ".";
                float[] out = mixtral
                        ? gated(x, expert + "w1", expert + "w3", expert + "w2")
                        : gated(x, expert + "gate_proj", expert + "up_proj", expert + "down_proj");
                scale(out, chosen[e] / (renormalizesExperts ? total : 1));
                add(sum, out);
            }
        }
        if (model.has(moe + "shared_expert_gate.weight")) {
            String shared = moe + "shared_expert.";
            float[] out = gated(x, shared + "gate_proj", shared + "up_proj", shared + "down_proj");
            scale(out, 1 / (1 + Math.exp(-multiply(model.values(moe + "shared_expert_gate.weight"), x)[0])));
            add(sum, out);
        }
        return sum;
    }

    private float[] gated(float[] x, String gate, String up, String down) {
        float[] g = linear(gate, x);
        float[] u = linear(up, x);
        for (int i = 0; i < g.length; i++) {
            g[i] = (float) (g[i] / (1 + Math.exp(-g[i])) * u[i]);
        }
        return linear(down, g);
    }

    private float[] linear(String name, float[] x) {
        float[] y = multiply(model.values(name + ".weight"), x);
        if (model.has(name + ".bias")) {
            add(y, model.values(name + ".bias"));
        }
        return y;
    }

    private float[] norm(float[] x, String weight) {
        double square = 0;
        for (float value : x) {
            square += (double) value * value;
        }
        double factor = 1 / Math.sqrt(square / x.length + epsilon);
        float[] w = model.values(weight);
        float[] y = new float[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = (float) (x[i] * factor * w[i]);
        }
        return y;
    }

    static float[] multiply(float[] matrix, float[] x) {
        float[] y = new float[matrix.length / x.length];
        for (int row = 0; row < y.length; row++) {
            double sum = 0;
            for (int i = 0; i < x.length; i++) {
                sum += (double) matrix[row * x.length + i] * x[i];
            }
            y[row] = (float) sum;
        }
        return y;
    }

    static void softmax(double[] values) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            largest = Math.max(largest, value);
        }
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.exp(values[i] - largest);
            sum += values[i];
        }
        for (int i = 0; i < values.length; i++) {
            values[i] /= sum;
        }
    }

    static void add(float[] to, float[] values) {
        for (int i = 0; i < to.length; i++) {
            to[i] += values[i];
        }
    }

    private static void scale(float[] values, double factor) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] * factor);
        }
    }
}
