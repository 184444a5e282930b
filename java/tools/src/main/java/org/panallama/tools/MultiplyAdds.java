package org.panallama.tools;

import org.panallama.TensorType;
import org.panallama.internal.GgufTensor;
import org.panallama.internal.ModelSummary;

/**
 * The products of quantized weights and activations that a prompt takes, each added to a sum: what kernels do with integers.
 * Weights that are floats are multiplied as such and are not counted, nor is attention.
 *
 * @param perToken of every token
 * @param ofLastToken of the last token besides: only its logits are asked for, so the output's matrix and the last block's
 *     feed-forward part are not computed for the others
 */
public record MultiplyAdds(long perToken, long ofLastToken) {

    static MultiplyAdds of(ModelSummary summary) {
        String architecture = summary.architecture();
        long blocks = summary.file().integer(architecture + ".block_count").orElse(0);
        long experts = summary.file().integer(architecture + ".expert_count").orElse(0);
        long used = summary.file().integer(architecture + ".expert_used_count").orElse(0);
        String lastFeedForward = "blk." + (blocks - 1) + ".ffn_";
        boolean tied =
                summary.tensors().stream().noneMatch(tensor -> tensor.name().equals("output.weight"));
        long perToken = 0;
        long ofLastToken = 0;
        for (GgufTensor tensor : summary.tensors()) {
            boolean embeddings = tensor.name().equals("token_embd.weight");
            if (!isQuantized(tensor.type()) || (embeddings && !tied)) {
                continue;
            }
            long products = tensor.elements();
            if (tensor.name().contains("_exps.") && experts > 0) {
                products = products / experts * used;
            }
            if (embeddings
                    || tensor.name().equals("output.weight")
                    || tensor.name().startsWith(lastFeedForward)) {
                ofLastToken += products;
            } else {
                perToken += products;
            }
        }
        return new MultiplyAdds(perToken, ofLastToken);
    }

    /** Of a prompt of some tokens. */
    public long ofPrompt(int tokens) {
        return perToken * tokens + ofLastToken;
    }

    private static boolean isQuantized(TensorType type) {
        return type.blockSize() > 1;
    }
}
