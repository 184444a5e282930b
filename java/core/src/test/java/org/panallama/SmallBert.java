package org.panallama;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.panallama.internal.GgufWriter;

/** An encoder-only model of two layers with random weights and a WordPiece vocabulary: {@code a} to {@code z} and some words. */
public final class SmallBert {

    static final int LONGEST = 64;
    static final int WIDTH = 32;
    static final int CLS = 2;
    static final int SEP = 3;

    private static final int FEED_FORWARD = 48;
    private static final int LAYERS = 2;
    private static final int CONTROL = 3;

    private SmallBert() {}

    /** With the pooling that its metadata states, {@link Pooling#RANK} for one with a classification head. */
    public static Path write(Path file, Pooling pooling) throws IOException {
        return write(file, pooling, null);
    }

    /** @param rerankTemplate a template of the name {@code rerank}, or {@code null} */
    static Path write(Path file, Pooling pooling, String rerankTemplate) throws IOException {
        GgufWriter writer = vocabulary()
                .put("bert.block_count", LAYERS)
                .put("bert.context_length", LONGEST)
                .put("bert.embedding_length", WIDTH)
                .put("bert.feed_forward_length", FEED_FORWARD)
                .put("bert.attention.head_count", 2)
                .put("bert.attention.layer_norm_epsilon", 1e-5f)
                .put("bert.attention.causal", false)
                .put("bert.pooling_type", pooling.code());
        if (rerankTemplate != null) {
            writer.put("tokenizer.chat_template.rerank", rerankTemplate);
        }
        if (pooling == Pooling.RANK) {
            weight(writer, "cls", WIDTH, WIDTH);
            weight(writer, "cls.output", WIDTH, 1);
        }
        return Files.write(file, withRandomWeights(writer));
    }

    private static GgufWriter vocabulary() {
        List<String> tokens = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
        for (char c = 'a'; c <= 'z'; c++) {
            tokens.add("▁" + c); // begins a word
            tokens.add(String.valueOf(c));
        }
        tokens.addAll(List.of("▁one", "▁two", "▁three", "▁."));
        int[] types = new int[tokens.size()];
        for (int i = 0; i < types.length; i++) {
            types[i] = i < 5 ? CONTROL : 1;
        }
        GgufWriter writer = new GgufWriter()
                .put("general.architecture", "bert")
                .put("tokenizer.ggml.model", "bert")
                .put("tokenizer.ggml.tokens", tokens)
                .put("tokenizer.ggml.token_type", types)
                .put("tokenizer.ggml.token_type_count", 2)
                .put("tokenizer.ggml.padding_token_id", 0)
                .put("tokenizer.ggml.unknown_token_id", 1)
                .put("tokenizer.ggml.bos_token_id", CLS)
                .put("tokenizer.ggml.seperator_token_id", SEP)
                .put("tokenizer.ggml.mask_token_id", 4);
        return writer.tensor("token_embd.weight", TensorType.F32, WIDTH, tokens.size())
                .tensor("token_types.weight", TensorType.F32, WIDTH, 2)
                .tensor("position_embd.weight", TensorType.F32, WIDTH, LONGEST)
                .tensor("token_embd_norm.weight", TensorType.F32, WIDTH)
                .tensor("token_embd_norm.bias", TensorType.F32, WIDTH);
    }

    private static void weight(GgufWriter writer, String name, int in, int out) {
        writer.tensor(name + ".weight", TensorType.F32, in, out).tensor(name + ".bias", TensorType.F32, out);
    }

    private static byte[] withRandomWeights(GgufWriter writer) {
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                weight(writer, block + name, WIDTH, WIDTH);
            }
            weight(writer, block + "ffn_up", WIDTH, FEED_FORWARD);
            weight(writer, block + "ffn_down", FEED_FORWARD, WIDTH);
            for (String name : List.of("attn_output_norm", "layer_output_norm")) {
                writer.tensor(block + name + ".weight", TensorType.F32, WIDTH)
                        .tensor(block + name + ".bias", TensorType.F32, WIDTH);
            }
        }
        byte[] bytes = writer.toBytes();
        ByteBuffer weights = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(1);
        for (int at = writer.header().length; at < bytes.length; at += Float.BYTES) {
            weights.putFloat(at, (float) random.nextGaussian() * 0.5f);
        }
        return bytes;
    }
}
