package org.panallama.tools.convert;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The kinds of models that can be converted: their classes in Transformers, their name in llama.cpp, their tensors. */
enum Architecture {
    LLAMA("llama", TensorTables.LLAMA, "LlamaForCausalLM", "LLaMAForCausalLM", "LlamaModel"),
    MISTRAL("llama", TensorTables.LLAMA, "MistralForCausalLM", "MistralModel"),
    MIXTRAL("llama", TensorTables.MIXTRAL, "MixtralForCausalLM", "MixtralModel"),
    QWEN2("qwen2", TensorTables.QWEN2, "Qwen2ForCausalLM", "Qwen2Model"),
    QWEN2_MOE("qwen2moe", TensorTables.QWEN2_MOE, "Qwen2MoeForCausalLM", "Qwen2MoeModel"),
    QWEN3("qwen3", TensorTables.QWEN3, "Qwen3ForCausalLM", "Qwen3Model"),
    /** Told by its name, see {@link Qwen3Reranker}. */
    QWEN3_RERANKER("qwen3", TensorTables.QWEN3_RERANKER),
    QWEN3_MOE("qwen3moe", TensorTables.QWEN3_MOE, "Qwen3MoeForCausalLM", "Qwen3MoeModel"),
    OLMOE("olmoe", TensorTables.OLMOE, "OlmoeForCausalLM", "OlmoeModel"),
    BERT("bert", TensorTables.BERT, "BertModel", "BertForMaskedLM", "BertForPreTraining"),
    ROBERTA("bert", TensorTables.BERT, "RobertaModel", "RobertaForMaskedLM"),
    XLM_ROBERTA("bert", TensorTables.BERT, "XLMRobertaModel", "XLMRobertaForMaskedLM"),
    DISTILBERT("bert", TensorTables.DISTILBERT, "DistilBertModel", "DistilBertForMaskedLM"),
    BERT_CLASSIFIER("bert", TensorTables.BERT_CLASSIFIER, "BertForSequenceClassification"),
    ROBERTA_CLASSIFIER(
            "bert",
            TensorTables.ROBERTA_CLASSIFIER,
            "RobertaForSequenceClassification",
            "XLMRobertaForSequenceClassification");

    private static final List<String> DECODER_PREFIXES = List.of("model.");
    private static final List<String> ENCODER_PREFIXES = List.of("bert.", "roberta.", "distilbert.", "model.");

    /** What checkpoints hold beyond what llama.cpp computes: constants, and the heads of pre-training. */
    private static final String NOT_COMPUTED = "(.*\\.)?(rotary_emb\\.inv_freq|masked_bias|position_ids)"
            + "|pooler\\..*|cls\\.(predictions|seq_relationship)\\..*"
            + "|vocab_(transform|layer_norm|projector)\\..*";

    private static final String ENCODER_HEAD = "lm_head\\..*";

    private final String ggufName;
    private final List<TensorRule> tensors;
    private final List<String> classes;

    Architecture(String ggufName, List<TensorRule> tensors, String... classes) {
        this.ggufName = ggufName;
        this.tensors = tensors;
        this.classes = List.of(classes);
    }

    static Architecture of(ModelConfig config) {
        return Arrays.stream(values())
                .filter(architecture -> architecture.classes.contains(config.className()))
                .findFirst()
                .orElseThrow(() -> new ConversionException(config.json().file() + ": the architecture is '"
                        + config.className() + "'; those that can be converted are "
                        + Arrays.stream(values())
                                .flatMap(architecture -> architecture.classes.stream())
                                .collect(Collectors.joining(", "))));
    }

    String ggufName() {
        return ggufName;
    }

    List<TensorRule> tensors() {
        return tensors;
    }

    boolean encoder() {
        return ggufName.equals("bert");
    }

    /** RoBERTa counts positions from the padding token's id plus one. */
    boolean roberta() {
        return this == ROBERTA || this == XLM_ROBERTA || this == ROBERTA_CLASSIFIER;
    }

    /** Whether a head makes one number of each class out of a text's first vector, as rerankers do. */
    boolean classifies() {
        return this == BERT_CLASSIFIER || this == ROBERTA_CLASSIFIER || this == QWEN3_RERANKER;
    }

    boolean hasExperts() {
        return tensors.stream().anyMatch(rule -> rule.target().endsWith("ffn_gate_exps.weight"));
    }

    /** A tensor's name without the prefix that says which part of a larger class it was saved from. */
    String canonical(String name) {
        for (String prefix : encoder() ? ENCODER_PREFIXES : DECODER_PREFIXES) {
            if (name.startsWith(prefix)) {
                return name.substring(prefix.length());
            }
        }
        return name;
    }

    boolean ignores(String canonicalName) {
        return canonicalName.matches(NOT_COMPUTED) || encoder() && canonicalName.matches(ENCODER_HEAD);
    }
}
