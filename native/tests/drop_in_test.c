// Runs a model on the untouched llama.cpp and on the same files with our CPU variant beside them: the variant must be
// picked up and give the same tokens, in every way that a program may drive it.
//
// And it must leave a llama.cpp that it does not know alone, and say so.
//
//   drop_in_test <stock folder> <drop-in folder> <folder with nothing else> <model.gguf> <scratch file> [<type>]
//
// With a type, only that one is tested, and only in the simplest way.
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ggml-backend.h"
#include "llama.h"
#include "lora_adapter.h"
#include "perturbed_ggml.h"

enum { max_tokens = 12, max_contexts = 3 };

struct scenario {
    const char *name;
    const char *kernels;  // value of PANALLAMA_KERNELS, or null
    const char *isa;      // value of PANALLAMA_FORCE_ISA, or null
    enum perturbation ggml;
    bool alone;           // our variant lies in a folder without llama.cpp's, which are loaded from theirs afterwards
    const char *refusal;  // part of the one warning, where the variant is not to be picked up; null where it is silent
    bool refused;
    int threads;
    int contexts;  // each on a thread of its own
    int batch;     // tokens in one decode of the prompt
    bool eval_callback;
    bool abort_first;  // a decode is aborted before the one that counts
    bool adapter;
};

struct files {
    const char *stock, *drop_in, *alone;  // folders
    const char *model;
    char adapter[1024];
};

struct result {
    bool picked_up;
    bool failed;
    int warnings;  // of ours
    char warning[512];
    int32_t tokens[max_contexts][max_tokens];
};

static const char prompt[] =
    "[INST] 资料：张三的电话是3817。李四的电话是552。\n问题：李四的电话是多少？ [/INST] 552</s>"
    "[INST] 德国的英文名是什么？ [/INST] Germany</s>[INST] 日本的英文名是什么？ [/INST] Japan</s>"
    "[INST] 法国的英文名是什么？ [/INST]";

static struct result log_result;

static void on_log(enum ggml_log_level level, const char *text, void *user) {
    (void)user;
    if (strncmp(text, "panallama: ", 11) == 0) {
        if (strstr(text, " kernels over ")) log_result.picked_up = true;
        if (level == GGML_LOG_LEVEL_WARN) {
            log_result.warnings++;
            snprintf(log_result.warning, sizeof log_result.warning, "%s", text);
        }
    }
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

static bool on_eval(struct ggml_tensor *tensor, bool ask, void *user) {
    (void)tensor;
    if (!ask) ++*(int *)user;
    return true;
}

static bool on_abort(void *user) { return --*(int *)user < 0; }

struct worker {
    struct llama_model *model;
    struct llama_adapter_lora *adapter;
    const struct scenario *how;
    int32_t *tokens;
    bool failed;
};

static int32_t most_likely(const float *logits, int32_t n) {
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++) {
        if (logits[i] > logits[best]) best = i;
    }
    return best;
}

static void *generate(void *argument) {
    struct worker *w = argument;
    const struct llama_vocab *vocab = llama_model_get_vocab(w->model);
    const int32_t n_vocab = llama_vocab_n_tokens(vocab);
    llama_token text[512];
    const int32_t n = llama_tokenize(vocab, prompt, (int32_t)strlen(prompt), text, 512, true, true);
    int evaluated = 0;
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = 512;
    params.n_batch = params.n_ubatch = (uint32_t)w->how->batch;
    params.n_threads = params.n_threads_batch = w->how->threads;
    if (w->how->eval_callback) {
        params.cb_eval = on_eval;
        params.cb_eval_user_data = &evaluated;
    }
    struct llama_context *context = llama_init_from_model(w->model, params);
    w->failed = true;
    if (context == NULL || n <= 0) return NULL;
    float strength = 1;
    if (w->adapter && llama_set_adapters_lora(context, &w->adapter, 1, &strength) != 0) return NULL;
    if (w->how->abort_first) {
        int left = 40;
        llama_set_abort_callback(context, on_abort, &left);
        if (llama_decode(context, llama_batch_get_one(text, n < w->how->batch ? n : w->how->batch)) != 2) return NULL;
        llama_set_abort_callback(context, NULL, NULL);
        llama_memory_clear(llama_get_memory(context), true);
    }
    for (int32_t i = 0; i < n; i += w->how->batch) {
        const int32_t m = n - i < w->how->batch ? n - i : w->how->batch;
        if (llama_decode(context, llama_batch_get_one(text + i, m)) != 0) return NULL;
    }
    for (int i = 0; i < max_tokens; i++) {
        llama_token token = most_likely(llama_get_logits_ith(context, -1), n_vocab);
        w->tokens[i] = token;
        if (llama_vocab_is_eog(vocab, token)) break;  // what follows an answer is a matter of rounding
        if (llama_decode(context, llama_batch_get_one(&token, 1)) != 0) return NULL;
    }
    w->failed = w->how->eval_callback && evaluated == 0;
    llama_free(context);
    return NULL;
}

static void run(const char *folder, const struct files *files, const struct scenario *how, struct result *out) {
    llama_log_set(on_log, NULL);
    if (how->kernels) setenv("PANALLAMA_KERNELS", how->kernels, 1);
    if (how->isa) setenv("PANALLAMA_FORCE_ISA", how->isa, 1);
    perturbation = how->ggml;
    if (how->alone) ggml_backend_load_all_from_path(files->alone);
    ggml_backend_load_all_from_path(folder);
    struct llama_model *model = llama_model_load_from_file(files->model, llama_model_default_params());
    out->failed = model == NULL;
    if (model == NULL) return;
    struct llama_adapter_lora *adapter = how->adapter ? llama_adapter_lora_init(model, files->adapter) : NULL;
    out->failed = how->adapter && adapter == NULL;
    if (out->failed) return;
    struct worker workers[max_contexts];
    pthread_t threads[max_contexts];
    for (int c = 0; c < how->contexts; c++) {
        workers[c] = (struct worker){model, adapter, how, out->tokens[c], false};
        pthread_create(&threads[c], NULL, generate, &workers[c]);
    }
    for (int c = 0; c < how->contexts; c++) {
        pthread_join(threads[c], NULL);
        out->failed = out->failed || workers[c].failed;
    }
    llama_model_free(model);
    out->picked_up = log_result.picked_up;
    out->warnings = log_result.warnings;
    memcpy(out->warning, log_result.warning, sizeof out->warning);
}

// llama.cpp keeps the backends that it loaded for the life of a process, so each run has its own.
static struct result run_apart(const char *folder, const struct files *files, const struct scenario *how) {
    struct result result;
    memset(&result, 0, sizeof result);
    result.failed = true;
    int ends[2];
    if (pipe(ends) != 0) return result;
    const pid_t child = fork();
    if (child == 0) {
        run(folder, files, how, &result);
        const bool sent = write(ends[1], &result, sizeof result) == (ssize_t)sizeof result;
        _exit(sent ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &result, sizeof result) != (ssize_t)sizeof result) result.failed = true;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) result.failed = true;
    return result;
}

static int quantize(const char *folder, const char *from, const char *to, enum llama_ftype type) {
    const pid_t child = fork();
    if (child == 0) {
        llama_log_set(on_log, NULL);
        ggml_backend_load_all_from_path(folder);
        struct llama_model_quantize_params params = llama_model_quantize_default_params();
        params.ftype = type;
        params.pure = true;
        params.nthread = 2;
        _exit(llama_model_quantize(from, to, &params) == 0 ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return status;
}

static const struct {
    const char *name;
    enum llama_ftype type;
} types[] = {
    {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},     {"Q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},   {"Q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},
    {"Q2_K", LLAMA_FTYPE_MOSTLY_Q2_K},     {"Q3_K", LLAMA_FTYPE_MOSTLY_Q3_K_M}, {"Q4_K", LLAMA_FTYPE_MOSTLY_Q4_K_M},
    {"Q5_K", LLAMA_FTYPE_MOSTLY_Q5_K_M},   {"Q6_K", LLAMA_FTYPE_MOSTLY_Q6_K},   {"IQ4_NL", LLAMA_FTYPE_MOSTLY_IQ4_NL},
    {"IQ4_XS", LLAMA_FTYPE_MOSTLY_IQ4_XS}, {"F16", LLAMA_FTYPE_MOSTLY_F16},     {"BF16", LLAMA_FTYPE_MOSTLY_BF16},
};

static const struct scenario plain = {.threads = 2, .contexts = 1, .batch = 512};
static const struct scenario with_adapter = {.adapter = true, .threads = 2, .contexts = 1, .batch = 512};

static const struct scenario scenarios[] = {
    {"as it is", .threads = 2, .contexts = 1, .batch = 512},
    {"one thread, prompt in pieces of 7", .threads = 1, .contexts = 1, .batch = 7},
    {"five threads", .threads = 5, .contexts = 1, .batch = 64},
    {"three contexts at once", .threads = 2, .contexts = 3, .batch = 32},
    {"evaluation callback", .eval_callback = true, .threads = 2, .contexts = 1, .batch = 64},
    {"after an aborted decode", .abort_first = true, .threads = 2, .contexts = 1, .batch = 512},
    {"with an adapter", .adapter = true, .threads = 2, .contexts = 1, .batch = 512},
    {"with an adapter, prompt in pieces of 9", .adapter = true, .threads = 3, .contexts = 1, .batch = 9},
    {"reference kernels", .isa = "generic", .threads = 2, .contexts = 1, .batch = 512},
    {"kernels off", .kernels = "off", .refused = true, .threads = 2, .contexts = 1, .batch = 512},
    {"unknown instruction set", .isa = "abacus", .refused = true,
     .refusal = "no kernels for PANALLAMA_FORCE_ISA=abacus", .threads = 2, .contexts = 1, .batch = 512},
    {"no variant of llama.cpp beside it", .alone = true, .refused = true, .refusal = "no libggml-cpu-*.so of llama.cpp",
     .threads = 2, .contexts = 1, .batch = 512},
#ifdef __ELF__
    {"another version of ggml", .ggml = other_version, .refused = true, .refusal = "ggml is 0.99.0, built for",
     .threads = 2, .contexts = 1, .batch = 512},
    {"other operation numbers", .ggml = other_operation, .refused = true,
     .refusal = "is CROSS_ENTROPY_LOSS, expected CUSTOM", .threads = 2, .contexts = 1, .batch = 512},
    {"other type numbers", .ggml = other_type, .refused = true, .refusal = "is q5_K_R4, expected q5_K", .threads = 2,
     .contexts = 1, .batch = 512},
#endif
};

// What is wrong with a result, or null.
static const char *fault_of(const struct result *got, const struct scenario *how, const struct result *expected) {
    if (got->failed) return "failed";
    if (got->picked_up == how->refused) return "wrong variant";
    if (got->warnings != (how->refusal ? 1 : 0)) return "warned too often or not at all";
    if (how->refusal && strstr(got->warning, how->refusal) == NULL) return got->warning;
    for (int c = 0; c < how->contexts; c++) {
        if (memcmp(got->tokens[c], expected->tokens[0], sizeof got->tokens[c]) != 0) return "other tokens";
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 7) {
        fprintf(stderr,
                "usage: drop_in_test <stock folder> <drop-in folder> <folder with nothing else> <model.gguf> "
                "<scratch file> [<type>]\n");
        return 2;
    }
    struct files files = {argv[1], argv[2], argv[3], argv[5], ""};
    snprintf(files.adapter, sizeof files.adapter, "%s.adapter", argv[5]);
    const char *only = argc == 7 ? argv[6] : NULL;
    int failures = 0;
    int runs = 0;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        if (only && strcmp(only, types[t].name) != 0) continue;
        if (quantize(files.stock, argv[4], files.model, types[t].type) != 0) {
            printf("%s: cannot quantize\n", types[t].name);
            return 1;
        }
        // Every way of driving it with the first type, the plain one with the others.
        const bool every_way = t == 0 && !only;
        if (every_way && !write_lora_adapter(files.model, files.adapter)) {
            printf("%s: cannot be written\n", files.adapter);
            return 1;
        }
        const struct result expected = run_apart(files.stock, &files, &plain);
        const struct result adapted = every_way ? run_apart(files.stock, &files, &with_adapter) : expected;
        if (expected.failed || expected.picked_up || adapted.failed) {
            printf("%s: llama.cpp itself failed\n", types[t].name);
            return 1;
        }
        const size_t n = every_way ? sizeof scenarios / sizeof *scenarios : 1;
        for (size_t s = 0; s < n; s++) {
            const struct scenario *how = &scenarios[s];
            const struct result got = run_apart(how->alone ? files.stock : files.drop_in, &files, how);
            const char *fault = fault_of(&got, how, how->adapter ? &adapted : &expected);
            printf("%s, %s: %s\n", types[t].name, how->name, fault ? fault : "same tokens");
            if (fault) failures++;
            runs++;
        }
    }
    unlink(files.model);
    unlink(files.adapter);
    if (runs == 0) printf("no type %s\n", only);
    return failures == 0 && runs > 0 ? 0 : 1;
}
