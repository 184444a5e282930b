// Runs a model beside a GPU backend, with our CPU variant in the folder: wherever its layers and experts lie, the
// tokens must be those of the CPU alone, and our kernels must have computed just the multiplications that were left to
// the CPU.
//
//   vulkan_test <folder> <model.gguf> <scratch file>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ggml-backend.h"
#include "llama.h"

enum { max_tokens = 8, max_vocab = 65536 };

struct placement {
    const char *name;
    bool gpu;  // whether the model may use it at all
    int gpu_layers;
    bool experts_on_cpu;
    bool op_offload;  // llama.cpp may copy weights over to multiply a large batch on the GPU
};

struct result {
    long long expert_multiplications;  // by our kernels
    int n_layers;
    int n_tokens;
    int32_t tokens[max_tokens];
    float probability[max_vocab];  // of the first token after the prompt
};

// Vulkan rounds activations to 16 bits here and there: 8e-5 was the most seen.
static const double max_divergence = 1e-3;

static const char prompt[] =
    "[INST] 德国的英文名是什么？ [/INST] Germany</s>[INST] 日本的英文名是什么？ [/INST] Japan</s>"
    "[INST] 法国的英文名是什么？ [/INST]";

static bool picked_up;
static long long expert_multiplications;

static void on_log(enum ggml_log_level level, const char *text, void *user) {
    (void)user;
    long long dense = 0, expert = 0;
    if (strncmp(text, "panallama: ", 11) == 0) {
        if (strstr(text, " kernels over ")) picked_up = true;
        if (sscanf(text, "panallama: %lld dense and %lld expert", &dense, &expert) == 2)
            expert_multiplications += expert;
        fputs(text, stderr);
    }
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

static int32_t most_likely(const float *logits, int32_t n) {
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++) {
        if (logits[i] > logits[best]) best = i;
    }
    return best;
}

static void softmax(const float *logits, int32_t n, float *out) {
    const float most = logits[most_likely(logits, n)];
    double sum = 0;
    for (int32_t i = 0; i < n; i++) sum += out[i] = expf(logits[i] - most);
    for (int32_t i = 0; i < n; i++) out[i] = (float)(out[i] / sum);
}

static bool generate(struct llama_context *context, const struct llama_vocab *vocab, struct result *out) {
    const int32_t n_vocab = llama_vocab_n_tokens(vocab);
    llama_token text[256];
    const int32_t n = llama_tokenize(vocab, prompt, (int32_t)strlen(prompt), text, 256, true, true);
    // llama.cpp offloads single operations from 32 tokens on, and so the prompt must be longer.
    if (n <= 32 || n_vocab > max_vocab || llama_decode(context, llama_batch_get_one(text, n)) != 0) return false;
    softmax(llama_get_logits_ith(context, -1), n_vocab, out->probability);
    for (out->n_tokens = 0; out->n_tokens < max_tokens;) {
        llama_token token = most_likely(llama_get_logits_ith(context, -1), n_vocab);
        out->tokens[out->n_tokens++] = token;
        if (llama_vocab_is_eog(vocab, token)) break;  // what follows an answer is a matter of rounding
        if (llama_decode(context, llama_batch_get_one(&token, 1)) != 0) return false;
    }
    return true;
}

static bool run(const char *model_file, const struct placement *where, struct result *out) {
    ggml_backend_dev_t no_devices[] = {NULL};
    const struct llama_model_tensor_buft_override experts_on_cpu[] = {{"ffn_.*_exps", ggml_backend_cpu_buffer_type()},
                                                                      {NULL, NULL}};
    struct llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = where->gpu_layers;
    if (!where->gpu) model_params.devices = no_devices;
    if (where->experts_on_cpu) model_params.tensor_buft_overrides = experts_on_cpu;
    struct llama_model *model = llama_model_load_from_file(model_file, model_params);
    if (model == NULL) return false;
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = 256;
    params.n_threads = params.n_threads_batch = 2;
    params.op_offload = where->op_offload;
    struct llama_context *context = llama_init_from_model(model, params);
    memset(out, 0, sizeof *out);
    expert_multiplications = 0;
    const bool ok = context != NULL && generate(context, llama_model_get_vocab(model), out);
    llama_free(context);  // logs the count
    out->expert_multiplications = expert_multiplications;
    out->n_layers = llama_model_n_layer(model);
    llama_model_free(model);
    return ok;
}

// Kullback-Leibler divergence of the first answer's distribution.
static double divergence(const struct result *expected, const struct result *got) {
    double sum = 0;
    for (int i = 0; i < max_vocab; i++) {
        const double p = expected->probability[i], q = got->probability[i];
        if (p > 0) sum += p * log(p / fmax(q, 1e-30));
    }
    return sum;
}

static const struct placement cpu_alone = {"CPU alone", false, 0, false, false};

// The shaders of the software driver take their time, so that the second type gets the one that matters most.
static const struct {
    const char *name;
    enum llama_ftype type;
    int n_placements;
} types[] = {{"Q4_K", LLAMA_FTYPE_MOSTLY_Q4_K_M, 4}, {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0, 1}};

static const struct placement placements[] = {
    {"experts on the CPU", true, 99, true, false},
    {"experts on the CPU, prompt offloaded", true, 99, true, true},
    {"everything on the GPU", true, 99, false, true},
    {"no layer on the GPU", true, 0, false, false},
};

// What our kernels have to compute, given the count of the CPU alone.
static long long left_to_cpu(const struct placement *where, const struct result *alone) {
    const long long all = alone->expert_multiplications;
    if (where->gpu_layers > 0 && !where->experts_on_cpu) return 0;
    if (!where->op_offload) return all;
    // The prompt's batch is offloaded, but for the last layer, where one token is left: nobody asks for the others.
    const long long per_decode = all / alone->n_tokens;  // the prompt, and each token but the last
    return all - per_decode + per_decode / alone->n_layers;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: vulkan_test <folder> <model.gguf> <scratch file>\n");
        return 2;
    }
    llama_log_set(on_log, NULL);
    ggml_backend_load_all_from_path(argv[1]);
    size_t gpus = 0;
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        printf("device %s: %s\n", ggml_backend_dev_name(device), ggml_backend_dev_description(device));
        if (strncmp(ggml_backend_dev_name(device), "Vulkan", 6) == 0) gpus++;
    }
    if (gpus != 1 || !picked_up) {
        printf("%s\n", gpus != 1 ? "expected one Vulkan device" : "our CPU variant was not picked up");
        return 1;
    }
    int failures = 0;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        struct llama_model_quantize_params params = llama_model_quantize_default_params();
        params.ftype = types[t].type;
        params.pure = true;
        params.nthread = 2;
        static struct result expected, got;
        if (llama_model_quantize(argv[2], argv[3], &params) != 0 || !run(argv[3], &cpu_alone, &expected) ||
            expected.expert_multiplications == 0) {
            printf("%s: the CPU alone failed\n", types[t].name);
            return 1;
        }
        for (int p = 0; p < types[t].n_placements; p++) {
            const bool ok = run(argv[3], &placements[p], &got);
            const double kl = divergence(&expected, &got);
            const long long wanted = left_to_cpu(&placements[p], &expected);
            const char *wrong = NULL;
            if (!ok) {
                wrong = "failed";
            } else if (memcmp(got.tokens, expected.tokens, sizeof got.tokens) != 0) {
                wrong = "other tokens";
            } else if (!(kl < max_divergence)) {
                wrong = "other probabilities";
            } else if (got.expert_multiplications != wanted) {
                wrong = "kernels not used as they should be";
            }
            printf(
                "%s, %s: %s; our kernels computed %lld of %lld expert multiplications, expected %lld; "
                "divergence %.1e\n",
                types[t].name, placements[p].name, wrong ? wrong : "same tokens", got.expert_multiplications,
                expected.expert_multiplications, wanted, kl);
            if (wrong) failures++;
        }
    }
    unlink(argv[3]);
    return failures == 0 ? 0 : 1;
}
