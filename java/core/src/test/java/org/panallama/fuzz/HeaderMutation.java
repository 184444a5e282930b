package org.panallama.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.panallama.TensorType;
import org.panallama.internal.GgufFile;
import org.panallama.internal.GgufType;
import org.panallama.internal.GgufWriter;

/** One or two changes to the metadata, vocabulary or tensor list of a model, most of which leave it well-formed. */
final class HeaderMutation {
    private static final int F16 = TensorType.F16.id();
    private static final int BF16 = TensorType.BF16.id();
    private static final int I16 = TensorType.I16.id();
    private static final int I32 = TensorType.I32.id();

    private static final List<String> EXTRA_KEYS = List.of(
            "pooling_type",
            "rope.scaling.type",
            "rope.scaling.factor",
            "rope.scaling.original_context_length",
            "rope.scale_linear",
            "rope.dimension_sections",
            "expert_group_count",
            "expert_group_used_count",
            "expert_gating_func",
            "expert_shared_count",
            "expert_feed_forward_length",
            "expert_weights_scale",
            "nextn_predict_layers",
            "embedding_length_out",
            "attention.causal",
            "attention.sliding_window",
            "attention.scale",
            "attention.key_length_swa",
            "attention.value_length_swa",
            "attention.key_length_mla",
            "attention.layer_norm_epsilon",
            "logit_scale",
            "embedding_scale",
            "residual_scale",
            "classifier.output_labels",
            "ssm.inner_size",
            "wkv.head_size");

    private static final List<String> ARCHITECTURES = List.of(
            "llama4",
            "deci",
            "qwen2",
            "qwen2moe",
            "qwen3",
            "qwen3moe",
            "qwen3next",
            "qwen2vl",
            "mistral3",
            "mistral4",
            "deepseek",
            "deepseek2",
            "granitemoe",
            "granitehybrid",
            "minicpm",
            "phi3",
            "phimoe",
            "gemma3",
            "gemma4",
            "olmoe",
            "gpt-oss",
            "dbrx",
            "grok",
            "arctic",
            "internlm2",
            "baichuan",
            "falcon",
            "mamba",
            "mamba2",
            "jamba",
            "rwkv6",
            "bert",
            "t5",
            "glm4moe",
            "ernie4_5-moe",
            "minimax-m2",
            "llama-embed",
            "hunyuan-moe",
            "smollm3",
            "lfm2moe");

    private static final List<String> EXTRA_TOKENIZER_KEYS = List.of(
            "unknown_token_id",
            "padding_token_id",
            "seperator_token_id",
            "mask_token_id",
            "eot_token_id",
            "fim_pre_token_id",
            "add_sep_token",
            "add_space_prefix",
            "remove_extra_whitespaces",
            "precompiled_charsmap",
            "merges",
            "suppress_tokens",
            "token_type_count");

    private static final List<String> NAMES = List.of(
            "llama",
            "gpt2",
            "bert",
            "t5",
            "rwkv",
            "plamo2",
            "none",
            "no_vocab",
            "qwen2",
            "qwen2moe",
            "qwen3moe",
            "mamba",
            "gemma",
            "clip",
            "granitemoe",
            "minicpm",
            "deci",
            "llama4",
            "phimoe",
            "grok",
            "yarn",
            "longrope",
            "linear",
            "adapter",
            "",
            "default",
            "llama-bpe");

    private static final long[] NUMBERS = {
        0,
        1,
        2,
        3,
        5,
        7,
        8,
        9,
        16,
        31,
        32,
        33,
        63,
        64,
        65,
        127,
        128,
        255,
        256,
        257,
        511,
        512,
        513,
        1024,
        5119,
        5120,
        5121,
        65535,
        65536,
        1 << 20,
        Integer.MAX_VALUE,
        0x8000_0000L,
        0xFFFF_FFFFL,
        1L << 32,
        1L << 40,
        1L << 60,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -1,
        -2,
        -32
    };

    private static final float[] FLOATS = {
        0,
        -0f,
        1,
        -1,
        Float.NaN,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MIN_VALUE,
        Float.MAX_VALUE,
        1e-5f
    };

    private final GgufFile original;
    private final GgufWriter writer;
    private final Random random;

    HeaderMutation(GgufFile original, GgufWriter writer, Random random) {
        this.original = original;
        this.writer = writer;
        this.random = random;
    }

    /** Changes the writer and returns what was changed. */
    String apply() {
        StringBuilder text = new StringBuilder();
        int count = random.nextInt(4) == 0 ? 2 : 1;
        for (int i = 0; i < count; i++) {
            text.append(
                    switch (random.nextInt(8)) {
                        case 0, 1, 2 -> changeEntry();
                        case 3 -> addEntry();
                        case 4 -> changeToken();
                        default -> changeTensor();
                    });
            text.append("; ");
        }
        if (random.nextInt(20) == 0) {
            text.append(rename(ARCHITECTURES.get(random.nextInt(ARCHITECTURES.size()))));
        }
        if (random.nextInt(3) != 0) {
            align(writer.tensors());
        }
        return text.toString();
    }

    private String changeEntry() {
        List<GgufWriter.Entry> entries = writer.entries();
        int at = random.nextInt(entries.size());
        GgufWriter.Entry old = entries.get(at);
        switch (random.nextInt(7)) {
            case 0 -> {
                entries.remove(at);
                return "no " + old.key();
            }
            case 1 -> {
                entries.add(random.nextInt(entries.size()), old);
                return "twice " + old.key();
            }
            case 2 -> {
                String other = entries.get(random.nextInt(entries.size())).key();
                entries.set(at, new GgufWriter.Entry(other, old.type(), old.value()));
                return old.key() + " renamed " + other;
            }
            case 3 -> {
                GgufWriter.Entry other = entries.get(random.nextInt(entries.size()));
                entries.set(at, new GgufWriter.Entry(old.key(), other.type(), other.value()));
                return old.key() + " with the value of " + other.key();
            }
            default -> {
                GgufWriter.Entry changed = changeValue(old);
                entries.set(at, changed);
                return "changed " + describe(changed);
            }
        }
    }

    private GgufWriter.Entry changeValue(GgufWriter.Entry old) {
        if (old.type() == GgufType.ARRAY.ordinal()) {
            ByteBuffer value = ByteBuffer.wrap(old.value().clone()).order(ByteOrder.LITTLE_ENDIAN);
            switch (random.nextInt(3)) {
                case 0 -> value.putLong(4, number());
                case 1 -> value.putInt(0, random.nextInt(14));
                default -> {
                    int fewer = random.nextInt((int) Math.max(1, value.getLong(4)));
                    value.putLong(4, fewer);
                    int type = value.getInt(0);
                    if (type != GgufType.STRING.ordinal()) {
                        int bytes = GgufType.values()[type].bytes();
                        return new GgufWriter.Entry(
                                old.key(), old.type(), Arrays.copyOf(value.array(), 12 + fewer * bytes));
                    }
                }
            }
            return new GgufWriter.Entry(old.key(), old.type(), value.array());
        }
        GgufType type = GgufType.values()[random.nextInt(4) == 0 ? random.nextInt(13) : old.type()];
        return scalar(old.key(), type);
    }

    private GgufWriter.Entry scalar(String key, GgufType type) {
        GgufWriter scalar = new GgufWriter();
        ByteBuffer value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case STRING -> scalar.put(key, NAMES.get(random.nextInt(NAMES.size())));
            case ARRAY -> {
                int[] numbers = new int[random.nextInt(2) == 0 ? 4 : random.nextInt(9)];
                Arrays.setAll(numbers, i -> (int) number());
                scalar.put(key, numbers);
            }
            case FLOAT32 -> scalar.put(key, FLOATS[random.nextInt(FLOATS.length)]);
            case FLOAT64 -> value.putDouble(FLOATS[random.nextInt(FLOATS.length)]);
            default -> value.putLong(number());
        }
        return scalar.entries().isEmpty()
                ? new GgufWriter.Entry(key, type.ordinal(), Arrays.copyOf(value.array(), type.bytes()))
                : scalar.entries().get(0);
    }

    private String addEntry() {
        boolean tokenizer = random.nextInt(3) == 0;
        List<String> keys = tokenizer ? EXTRA_TOKENIZER_KEYS : EXTRA_KEYS;
        String key = keys.get(random.nextInt(keys.size()));
        GgufType[] likely = {
            GgufType.UINT32, GgufType.UINT32, GgufType.FLOAT32, GgufType.STRING, GgufType.BOOL, GgufType.ARRAY
        };
        GgufWriter.Entry entry = scalar(
                (tokenizer ? "tokenizer.ggml." : original.architecture().orElseThrow() + ".") + key,
                likely[random.nextInt(likely.length)]);
        writer.put(entry);
        return "added " + describe(entry);
    }

    private String changeToken() {
        List<GgufWriter.Entry> entries = writer.entries();
        for (int at = 0; at < entries.size(); at++) {
            GgufWriter.Entry entry = entries.get(at);
            if (!entry.key().equals("tokenizer.ggml.tokens") || entry.type() != GgufType.ARRAY.ordinal()) {
                continue;
            }
            List<String> tokens = new ArrayList<>();
            var value = original.metadata().get(entry.key());
            for (int i = 0; i < value.length(); i++) {
                tokens.add(value.string(i));
            }
            int index = random.nextInt(3) == 0
                    ? random.nextInt(Math.min(300, tokens.size()))
                    : random.nextInt(tokens.size());
            String token = switch (random.nextInt(6)) {
                case 0 -> "";
                case 1 -> tokens.get(random.nextInt(tokens.size()));
                case 2 -> "a\0b";
                case 3 -> "[EMPTY_" + random.nextInt(tokens.size()) + "]";
                case 4 -> "\uFFFD".repeat(1 + random.nextInt(100));
                default -> "<|im_end|>";
            };
            tokens.set(index, token);
            entries.set(at, new GgufWriter().put(entry.key(), tokens).entries().get(0));
            return "token " + index + " is '" + token + "'";
        }
        return "no tokens";
    }

    private String changeTensor() {
        List<GgufWriter.Info> tensors = writer.tensors();
        int at = random.nextInt(tensors.size());
        GgufWriter.Info old = tensors.get(at);
        GgufWriter.Info other = tensors.get(random.nextInt(tensors.size()));
        List<Long> shape = new ArrayList<>(old.shape());
        GgufWriter.Info changed;
        switch (random.nextInt(9)) {
            case 0 -> {
                tensors.remove(at);
                return "no " + old.name();
            }
            case 1 -> changed = new GgufWriter.Info(other.name(), shape, old.type(), old.offset());
            case 2 ->
                changed = new GgufWriter.Info(old.name().replace(".weight", ".bias"), shape, old.type(), old.offset());
            case 3 -> {
                shape.set(random.nextInt(shape.size()), number());
                changed = new GgufWriter.Info(old.name(), shape, old.type(), old.offset());
            }
            case 4 -> changed = new GgufWriter.Info(old.name(), other.shape(), old.type(), old.offset());
            case 5 -> changed = new GgufWriter.Info(old.name(), shape, old.type(), number());
            case 6 -> {
                shape.add(random.nextInt(shape.size() + 1), random.nextBoolean() ? 1 : number());
                changed = new GgufWriter.Info(old.name(), shape, old.type(), old.offset());
            }
            default -> {
                // Types of the same size keep the offsets right, so that they get past the reader.
                int type = random.nextBoolean()
                        ? random.nextInt(44)
                        : old.type() == F16 ? (random.nextBoolean() ? BF16 : I16) : I32;
                changed = new GgufWriter.Info(old.name(), shape, type, old.offset());
            }
        }
        tensors.set(at, changed);
        return old + " -> " + changed;
    }

    /** Makes the file that of another architecture. */
    private String rename(String architecture) {
        String prefix = original.architecture().orElseThrow() + ".";
        writer.entries()
                .replaceAll(e -> e.key().startsWith(prefix)
                        ? new GgufWriter.Entry(
                                architecture + "." + e.key().substring(prefix.length()), e.type(), e.value())
                        : e);
        writer.put("general.architecture", architecture);
        return "as " + architecture;
    }

    /** Puts the tensors' offsets right, so that damaged tensors get past the reader. */
    private static void align(List<GgufWriter.Info> tensors) {
        long offset = 0;
        for (int i = 0; i < tensors.size(); i++) {
            GgufWriter.Info t = tensors.get(i);
            tensors.set(i, new GgufWriter.Info(t.name(), t.shape(), t.type(), offset));
            try {
                long elements = t.shape().stream().reduce(1L, Math::multiplyExact);
                offset = Math.addExact(offset, TensorType.of(t.type()).bytes(elements) + 31 & -32);
            } catch (IllegalArgumentException | ArithmeticException e) {
                return;
            }
        }
    }

    private long number() {
        return random.nextInt(8) == 0 ? random.nextInt(10000) : NUMBERS[random.nextInt(NUMBERS.length)];
    }

    private static String describe(GgufWriter.Entry entry) {
        byte[] value = Arrays.copyOf(entry.value(), Math.min(24, entry.value().length));
        return entry.key() + " type " + entry.type() + " " + Arrays.toString(value);
    }
}
