package org.panallama.tools.convert;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Checkpoints of a few kilobytes with each kind of tokenizer, and each file that a checkpoint can have. */
public final class SmallCheckpoints {

    private static final String SIZES = "\"hidden_size\": 4, \"num_hidden_layers\": 1, \"num_attention_heads\": 2,"
            + " \"intermediate_size\": 6, \"vocab_size\": 8, \"max_position_embeddings\": 16, ";

    private SmallCheckpoints() {}

    static List<Path> all(Path folder) throws IOException {
        return List.of(
                byteLevel(folder.resolve("byte-level")),
                byteFallback(folder.resolve("byte-fallback")),
                sentencePiece(folder.resolve("sentencepiece")),
                unigram(folder.resolve("unigram")),
                wordPiece(folder.resolve("wordpiece")));
    }

    /** A Mixtral of one layer and two experts. */
    public static Path byteLevel(Path folder) throws IOException {
        RandomCheckpoint checkpoint = decoder(
                "MixtralForCausalLM",
                "\"num_local_experts\": 2, \"num_experts_per_tok\": 1, \"rope_parameters\": {\"rope_theta\": 1e6,"
                        + " \"rope_type\": \"yarn\", \"factor\": 4.0, \"beta_fast\": 32,"
                        + " \"original_max_position_embeddings\": 8}, \"eos_token_id\": [3, 4, 5, 6]");
        String name = "model.layers.0.block_sparse_moe.";
        checkpoint.add(name + "gate.weight", 2, 4);
        for (int expert = 0; expert < 2; expert++) {
            checkpoint.add(name + "experts." + expert + ".w1.weight", 6, 4);
            checkpoint.add(name + "experts." + expert + ".w3.weight", 6, 4);
            checkpoint.add(name + "experts." + expert + ".w2.weight", 4, 6);
        }
        checkpoint.write(folder);
        put(
                folder,
                "tokenizer.json",
                "{\"added_tokens\": [{\"id\": 6, \"content\": \"<|end|>\", \"special\": true}, {\"id\": 7, \"content\":"
                        + " \"<tool>\", \"special\": false}], \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"use_regex\":"
                        + " true}, \"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"ByteLevel\"}]},"
                        + " \"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\":"
                        + " \"a\"}}, {\"Sequence\": {\"id\": \"A\"}}]}, \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0,"
                        + " \"b\": 1, \"c\": 2, \"Ġ\": 3, \"ab\": 4, \"abc\": 5}, \"merges\": [\"a b\", [\"ab\", \"c\"]]}}");
        put(
                folder,
                "tokenizer_config.json",
                "{\"add_bos_token\": true, \"bos_token\": {\"content\": \"a\"}, \"eos_token\": \"<|end|>\","
                        + " \"chat_template\": [{\"name\": \"default\", \"template\": \"{{ x }}\"}, {\"name\": \"rag\","
                        + " \"template\": \"{{ y }}\"}]}");
        put(
                folder,
                "README.md",
                "---\nlicense: mit\nlanguage: [en, zh]\ntags:\n- moe\nbase_model: org/name-1b\nname: Small\n---\n# Small\n");
        return put(
                folder,
                "generation_config.json",
                "{\"temperature\": 0.7, \"top_k\": 40, \"top_p\": 0.9, \"eos_token_id\": [4, 5], \"mirostat\": 0}");
    }

    private static Path byteFallback(Path folder) throws IOException {
        feedForward(decoder(
                        "Qwen2ForCausalLM",
                        "\"num_key_value_heads\": 1, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2},"
                                + " \"tie_word_embeddings\": false, \"sliding_window\": 8"))
                .write(folder);
        return put(
                folder,
                "tokenizer.json",
                "{\"added_tokens\": [{\"id\": 0, \"content\": \"<unk>\", \"special\": true}], \"normalizer\": {\"type\":"
                        + " \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", \"prepend\": \"▁\"}]}, \"model\": {\"type\":"
                        + " \"BPE\", \"byte_fallback\": true, \"unk_token\": \"<unk>\", \"vocab\": {\"<unk>\": 0, \"<0x0A>\": 1,"
                        + " \"▁\": 2, \"a\": 3, \"▁a\": 4}, \"merges\": [\"▁ a\"]}}");
    }

    private static Path sentencePiece(Path folder) throws IOException {
        feedForward(decoder(
                        "LlamaForCausalLM",
                        "\"rope_theta\": 500000, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8,"
                                + " \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 8},"
                                + " \"bos_token_id\": 1, \"eos_token_id\": 2, \"pad_token_id\": null"))
                .write(folder);
        Files.write(folder.resolve("tokenizer.model"), model(2));
        put(folder, "added_tokens.json", "{\"<pad>\": 5}");
        put(folder, "special_tokens_map.json", "{\"bos_token\": \"<s>\", \"unk_token\": {\"content\": \"<unk>\"}}");
        return put(
                folder,
                "tokenizer_config.json",
                "{\"add_prefix_space\": true, \"added_tokens_decoder\": {\"6\": {\"content\": \"<|im_end|>\", \"special\":"
                        + " true}, \"7\": {\"content\": \"▁word\"}}, \"chat_template\": \"{{ x }}\"}");
    }

    private static Path unigram(Path folder) throws IOException {
        encoder("XLMRobertaModel", "\"pad_token_id\": 1, \"type_vocab_size\": 1")
                .write(folder);
        Files.write(folder.resolve("sentencepiece.bpe.model"), model(1));
        Files.createDirectories(folder.resolve("1_Pooling"));
        put(folder, "1_Pooling/config.json", "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": false}");
        put(
                folder,
                "tokenizer.json",
                "{\"added_tokens\": [{\"id\": 7, \"content\": \"<mask>\", \"special\": true}], \"normalizer\": {\"type\":"
                        + " \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}, \"pre_tokenizer\": {\"type\": \"Metaspace\","
                        + " \"prepend_scheme\": \"always\"}, \"model\": {\"type\": \"Unigram\", \"unk_id\": 3, \"vocab\":"
                        + " [[\"<s>\", 0.0], [\"<pad>\", 0.0], [\"</s>\", 0.0], [\"<unk>\", 0.0], [\"▁a\", -2.5], [\"b\", -3]]}}");
        return folder;
    }

    private static Path wordPiece(Path folder) throws IOException {
        encoder("BertModel", "\"type_vocab_size\": 1").write(folder);
        put(
                folder,
                "tokenizer_config.json",
                "{\"do_lower_case\": true, \"cls_token\": \"[CLS]\", \"pad_token\": \"[PAD]\"}");
        return put(folder, "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n中\n");
    }

    private static RandomCheckpoint decoder(String className, String more) {
        RandomCheckpoint checkpoint = new RandomCheckpoint(
                1, "{\"architectures\": [\"" + className + "\"], " + SIZES + "\"rms_norm_eps\": 1e-5, " + more + "}");
        int kv = checkpoint.config().has("num_key_value_heads") ? 2 : 4;
        checkpoint.add("model.embed_tokens.weight", 8, 4);
        String name = "model.layers.0.";
        checkpoint.add(name + "input_layernorm.weight", 4);
        checkpoint.add(name + "post_attention_layernorm.weight", 4);
        checkpoint.add(name + "self_attn.q_proj.weight", 4, 4);
        checkpoint.add(name + "self_attn.k_proj.weight", kv, 4);
        checkpoint.add(name + "self_attn.v_proj.weight", kv, 4);
        checkpoint.add(name + "self_attn.o_proj.weight", 4, 4);
        if (className.startsWith("Qwen2")) {
            checkpoint.add(name + "self_attn.q_proj.bias", 4);
            checkpoint.add(name + "self_attn.k_proj.bias", kv);
            checkpoint.add(name + "self_attn.v_proj.bias", kv);
        }
        checkpoint.add("model.norm.weight", 4);
        checkpoint.add("lm_head.weight", 8, 4);
        return checkpoint;
    }

    private static RandomCheckpoint feedForward(RandomCheckpoint checkpoint) {
        checkpoint.add("model.layers.0.mlp.gate_proj.weight", 6, 4);
        checkpoint.add("model.layers.0.mlp.up_proj.weight", 6, 4);
        checkpoint.add("model.layers.0.mlp.down_proj.weight", 4, 6);
        return checkpoint;
    }

    private static RandomCheckpoint encoder(String className, String more) {
        RandomCheckpoint checkpoint = new RandomCheckpoint(
                2, "{\"architectures\": [\"" + className + "\"], " + SIZES + "\"layer_norm_eps\": 1e-5, " + more + "}");
        checkpoint.add("embeddings.word_embeddings.weight", 8, 4);
        checkpoint.add("embeddings.position_embeddings.weight", 16, 4);
        checkpoint.add("embeddings.token_type_embeddings.weight", 1, 4);
        norm(checkpoint, "embeddings.LayerNorm");
        String name = "encoder.layer.0.";
        for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
            linear(checkpoint, name + "attention." + part, 4, 4);
        }
        norm(checkpoint, name + "attention.output.LayerNorm");
        linear(checkpoint, name + "intermediate.dense", 6, 4);
        linear(checkpoint, name + "output.dense", 4, 6);
        norm(checkpoint, name + "output.LayerNorm");
        return checkpoint;
    }

    private static void linear(RandomCheckpoint checkpoint, String name, int rows, int columns) {
        checkpoint.add(name + ".weight", rows, columns);
        checkpoint.add(name + ".bias", rows);
    }

    private static void norm(RandomCheckpoint checkpoint, String name) {
        checkpoint.add(name + ".weight", 4);
        checkpoint.add(name + ".bias", 4);
    }

    /** A SentencePiece model of five pieces: field by field, as protocol buffers are encoded. */
    private static byte[] model(int algorithm) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<String> texts = List.of("<unk>", "<s>", "</s>", "▁a", "b");
        for (int i = 0; i < texts.size(); i++) {
            byte[] text = texts.get(i).getBytes(StandardCharsets.UTF_8);
            int type = i == 0 ? 2 : i < 3 ? 3 : 1;
            out.writeBytes(new byte[] {0x0A, (byte) (text.length + 9), 0x0A, (byte) text.length});
            out.writeBytes(text);
            out.write(0x15);
            out.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(-i)
                    .array());
            out.writeBytes(new byte[] {0x18, (byte) type});
        }
        out.writeBytes(new byte[] {0x12, 2, 0x18, (byte) algorithm});
        out.writeBytes(new byte[] {0x1A, 8, 0x12, 2, 1, 2, 0x18, 1, 0x20, 0});
        return out.toByteArray();
    }

    private static Path put(Path folder, String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
        return folder;
    }
}
