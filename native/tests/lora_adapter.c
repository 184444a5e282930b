#include "lora_adapter.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ggml.h"
#include "gguf.h"

// Not a multiple of 32, so that one of the two products of an adapter has rows that no kernel of ours takes.
enum { rank = 6 };

static const char *const adapted[] = {".attn_q.weight",        ".attn_v.weight",      ".attn_output.weight",
                                      ".ffn_gate_exps.weight", ".ffn_up_exps.weight", ".ffn_down_exps.weight"};

static bool is_adapted(const char *name) {
    for (size_t i = 0; i < sizeof adapted / sizeof *adapted; i++) {
        const char *at = strstr(name, adapted[i]);
        if (at != NULL && strcmp(at, adapted[i]) == 0) return true;
    }
    return false;
}

static float random_number(void) {
    static uint32_t state = 20240607;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) * 0x1p-23f - 1.0f;
}

// One half of an adapter's pair, of the model's precision but for quantization: F16.
static void add_half(struct gguf_context *out, struct ggml_context *memory, const char *name, const char *suffix,
                     int64_t inputs, int64_t outputs, int64_t experts) {
    struct ggml_tensor *t = ggml_new_tensor_3d(memory, GGML_TYPE_F16, inputs, outputs, experts);
    char full[GGML_MAX_NAME];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    ggml_set_name(t, full);
    for (int64_t i = 0; i < ggml_nelements(t); i++) {
        ((ggml_fp16_t *)t->data)[i] = ggml_fp32_to_fp16(0.1f * random_number());
    }
    gguf_add_tensor(out, t);
}

bool write_lora_adapter(const char *model_file, const char *adapter_file) {
    struct ggml_context *tensors = NULL;
    const struct gguf_init_params only_shapes = {true, &tensors};
    struct gguf_context *model = gguf_init_from_file(model_file, only_shapes);
    if (model == NULL) return false;
    const struct ggml_init_params size = {(size_t)64 << 20, NULL, false};
    struct ggml_context *memory = ggml_init(size);
    struct gguf_context *out = gguf_init_empty();
    const int64_t architecture = gguf_find_key(model, "general.architecture");
    gguf_set_val_str(out, "general.type", "adapter");
    gguf_set_val_str(out, "general.architecture", gguf_get_val_str(model, architecture));
    gguf_set_val_str(out, "adapter.type", "lora");
    gguf_set_val_f32(out, "adapter.lora.alpha", rank);
    for (struct ggml_tensor *t = ggml_get_first_tensor(tensors); t != NULL; t = ggml_get_next_tensor(tensors, t)) {
        if (!is_adapted(t->name)) continue;
        add_half(out, memory, t->name, ".lora_a", t->ne[0], rank, t->ne[2]);
        add_half(out, memory, t->name, ".lora_b", rank, t->ne[1], t->ne[2]);
    }
    const bool written = gguf_get_n_tensors(out) > 0 && gguf_write_to_file(out, adapter_file, false);
    gguf_free(out);
    ggml_free(memory);
    gguf_free(model);
    ggml_free(tensors);
    return written;
}
