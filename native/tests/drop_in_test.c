// Runs a model on the untouched llama.cpp and on the same files with our CPU variant beside them: the variant must be
// picked up and give the same tokens, in every way that a program may drive it.
//
//   drop_in_test <stock folder> <drop-in folder> <model.gguf> <scratch file> [<type>]
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

enum { max_tokens = 12, max_contexts = 3 };

struct scenario {
    const char *name;
    const char *kernels;  // value of PANALLAMA_KERNELS, or null
    const char *isa;      // value of PANALLAMA_FORCE_ISA, or null
    bool picked_up;
    int threads;
    int contexts;  // each on a thread of its own
    int batch;     // tokens in one decode of the prompt
    bool eval_callback;
    bool abort_first;  // a decode is aborted before the one that counts
};

struct result {
    bool picked_up;
    bool failed;
    int32_t tokens[max_contexts][max_tokens];
};

static const char prompt[] =
    "[INST] 资料：张三的电话是3817。李四的电话是552。\n问题：李四的电话是多少？ [/INST] 552</s>"
    "[INST] 德国的英文名是什么？ [/INST] Germany</s>[INST] 日本的英文名是什么？ [/INST] Japan</s>"
    "[INST] 法国的英文名是什么？ [/INST]";

static bool picked_up;

static void on_log(enum ggml_log_level level, const char *text, void *user) {
    (void)user;
    if (strncmp(text, "panallama: ", 11) == 0 && strstr(text, " kernels over ")) picked_up = true;
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

static void run(const char *folder, const char *model_file, const struct scenario *how, struct result *out) {
    llama_log_set(on_log, NULL);
    if (how->kernels) setenv("PANALLAMA_KERNELS", how->kernels, 1);
    if (how->isa) setenv("PANALLAMA_FORCE_ISA", how->isa, 1);
    ggml_backend_load_all_from_path(folder);
    struct llama_model *model = llama_model_load_from_file(model_file, llama_model_default_params());
    out->failed = model == NULL;
    if (model == NULL) return;
    struct worker workers[max_contexts];
    pthread_t threads[max_contexts];
    for (int c = 0; c < how->contexts; c++) {
        workers[c] = (struct worker){model, how, out->tokens[c], false};
        pthread_create(&threads[c], NULL, generate, &workers[c]);
    }
    for (int c = 0; c < how->contexts; c++) {
        pthread_join(threads[c], NULL);
        out->failed = out->failed || workers[c].failed;
    }
    llama_model_free(model);
    out->picked_up = picked_up;
}

// llama.cpp keeps the backends that it loaded for the life of a process, so each run has its own.
static struct result run_apart(const char *folder, const char *model_file, const struct scenario *how) {
    struct result result;
    memset(&result, 0, sizeof result);
    result.failed = true;
    int ends[2];
    if (pipe(ends) != 0) return result;
    const pid_t child = fork();
    if (child == 0) {
        run(folder, model_file, how, &result);
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
    {"IQ4_XS", LLAMA_FTYPE_MOSTLY_IQ4_XS},
};

static const struct scenario scenarios[] = {
    {"as it is", NULL, NULL, true, 2, 1, 512, false, false},
    {"one thread, prompt in pieces of 7", NULL, NULL, true, 1, 1, 7, false, false},
    {"five threads", NULL, NULL, true, 5, 1, 64, false, false},
    {"three contexts at once", NULL, NULL, true, 2, 3, 32, false, false},
    {"evaluation callback", NULL, NULL, true, 2, 1, 64, true, false},
    {"after an aborted decode", NULL, NULL, true, 2, 1, 512, false, true},
    {"reference kernels", NULL, "generic", true, 2, 1, 512, false, false},
    {"kernels off", "off", NULL, false, 2, 1, 512, false, false},
    {"unknown instruction set", NULL, "abacus", false, 2, 1, 512, false, false},
};

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: drop_in_test <stock folder> <drop-in folder> <model.gguf> <scratch file> [<type>]\n");
        return 2;
    }
    const char *only = argc == 6 ? argv[5] : NULL;
    int failures = 0;
    int runs = 0;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        if (only && strcmp(only, types[t].name) != 0) continue;
        if (quantize(argv[1], argv[3], argv[4], types[t].type) != 0) {
            printf("%s: cannot quantize\n", types[t].name);
            return 1;
        }
        const struct scenario plain = {"", NULL, NULL, false, 2, 1, 512, false, false};
        const struct result expected = run_apart(argv[1], argv[4], &plain);
        if (expected.failed || expected.picked_up) {
            printf("%s: llama.cpp itself failed\n", types[t].name);
            return 1;
        }
        // Every way of driving it with the first type, the plain one with the others.
        const size_t n = t == 0 && !only ? sizeof scenarios / sizeof *scenarios : 1;
        for (size_t s = 0; s < n; s++) {
            const struct result got = run_apart(argv[2], argv[4], &scenarios[s]);
            const char *wrong = got.failed                                ? "failed"
                                : got.picked_up != scenarios[s].picked_up ? "wrong variant"
                                                                          : NULL;
            for (int c = 0; c < scenarios[s].contexts && wrong == NULL; c++) {
                if (memcmp(got.tokens[c], expected.tokens[0], sizeof got.tokens[c]) != 0) wrong = "other tokens";
            }
            printf("%s, %s: %s\n", types[t].name, scenarios[s].name, wrong ? wrong : "same tokens");
            if (wrong) failures++;
            runs++;
        }
    }
    unlink(argv[4]);
    if (runs == 0) printf("no type %s\n", only);
    return failures == 0 && runs > 0 ? 0 : 1;
}
