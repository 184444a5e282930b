package org.panallama.internal;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** The model architectures that llama.cpp v0.4.0 knows, by the names GGUF files give them. */
final class Architectures {
    /** Everything that can be loaded as a language model. */
    static final Set<String> LOADABLE = words("""
            afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bert bitnet bloom chameleon
            chatglm codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 deepseek2-ocr deepseek32
            deepseek4 dflash dots1 dots3note dream eagle3 ernie4_5 ernie4_5-moe eurobert exaone exaone-moe exaone4
            falcon falcon-h1 gemma gemma-embedding gemma2 gemma3 gemma3n gemma4 gemma4-assistant glm-dsa glm4 glm4moe
            gpt-oss gpt2 gptj gptneox granite granite_swa granitehybrid granitemoe graniteswitch grok grovemoe
            hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 jamba jina-bert-v2 jina-bert-v3 kimi-k3
            kimi-linear laguna lfm2 lfm2moe llada llada-moe llama llama-embed llama4 maincoder mamba mamba2 mellum
            mimo2 minicpm minicpm3 minimax-01 minimax-m2 minimax-m3 mistral3 mistral4 modern-bert mpt muse-glimmer
            nanbeige nemotron nemotron_h nemotron_h_moe neo-bert nomic-bert nomic-bert-moe olmo olmo2 olmoe openelm
            orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plamo2 plamo3 plm pockettts qwen qwen2 qwen2moe
            qwen2vl qwen3 qwen35 qwen35moe qwen3moe qwen3next qwen3tts qwen3vl qwen3vlmoe qwen4exp refact rnd1 rwkv6
            rwkv6qwen2 rwkv7 seed_oss smallthinker smollm3 stablelm starcoder starcoder2 step35 t5 t5encoder talkie
            wavtokenizer-dec xverse
            """);

    /** Those whose attention insists on rotating whole heads, with keys and values of one length. */
    static final Set<String> WHOLE_HEAD_ROPE = words("""
            apertus arcee arctic baichuan chameleon codeshell cogvlm cohere2moe dbrx deci deepseek dots1 dream ernie4_5
            ernie4_5-moe exaone exaone-moe exaone4 falcon granite granite_swa granitemoe graniteswitch grok grovemoe
            hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais2 llada llada-moe llama llama-embed llama4
            maincoder mellum minicpm mistral3 olmo olmo2 olmoe orion paddleocr pangu-embedded plamo pockettts qwen2
            qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe rnd1 seed_oss smallthinker smollm3 starcoder2 talkie
            xverse
            """);

    /** Those among {@link #WHOLE_HEAD_ROPE} whose layers may differ in their attention. */
    static final Set<String> VARIED_LAYERS = Set.of("deci", "graniteswitch", "pockettts");

    /** Those that may rotate part of a head but need keys and values of one length. */
    static final Set<String> EQUAL_KEY_VALUE = words("""
            afmoe bailingmoe2 bert bitnet bloom chatglm cohere2 command-r dflash eagle3 eurobert glm4 glm4moe gpt2
            gptneox granitehybrid jais laguna minimax-01 minimax-m2 minimax-m3 modern-bert mpt muse-glimmer nanbeige
            nemotron nemotron_h nemotron_h_moe neo-bert nomic-bert nomic-bert-moe jina-bert-v3 openelm phi2 phi3 phimoe
            qwen qwen35 qwen35moe qwen3next qwen4exp refact stablelm starcoder t5 t5encoder
            """);

    /** Those, besides {@link #WHOLE_HEAD_ROPE}, that compute attention from one set of heads in every layer. */
    private static final Set<String> MORE_PLAIN_ATTENTION = words("""
            afmoe bailingmoe2 bert bitnet bloom chatglm cohere2 command-r gemma gemma-embedding gemma2 gemma3 glm4
            glm4moe gpt-oss gpt2 gptneox jais minimax-m2 mpt nemotron nomic-bert phi2 phi3 phimoe qwen refact stablelm
            starcoder
            """);

    /** Those that divide by the number of experts used, or insist on experts. */
    static final Set<String> MIXTURES = words("""
            bailingmoe2 glm4moe grovemoe lfm2moe llada-moe mellum qwen2moe qwen35moe qwen3moe qwen3next qwen3vlmoe
            qwen4exp rnd1
            """);

    /** Those with state-space layers whose inner size is divided into groups and heads. */
    static final Set<String> GROUPED_STATE_SPACE =
            Set.of("mamba2", "falcon-h1", "granitehybrid", "nemotron_h", "nemotron_h_moe");

    private Architectures() {}

    /** Returns whether each layer has attention, with queries, keys and values straight from the heads' sizes. */
    static boolean hasPlainAttention(String architecture) {
        return MORE_PLAIN_ATTENTION.contains(architecture)
                || WHOLE_HEAD_ROPE.contains(architecture) && !VARIED_LAYERS.contains(architecture);
    }

    /** Returns the known names most like an unknown one, the most like first. */
    static List<String> nearest(String name) {
        return LOADABLE.stream()
                .sorted(Comparator.<String>comparingInt(known -> distance(name, known))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(3)
                .toList();
    }

    private static Set<String> words(String text) {
        return Set.copyOf(Arrays.asList(text.strip().split("\\s+")));
    }

    /** The Levenshtein distance, over at most the first 64 characters. */
    private static int distance(String a, String b) {
        String from = a.substring(0, Math.min(64, a.length()));
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (from.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
