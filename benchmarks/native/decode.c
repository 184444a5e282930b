// Greedy decoding over llama.cpp's C interface, as plainly as it can be written: what benchmarks/java/Decode.java does
// through the Java API. Prints the tokens per second and per second of CPU time of each round, then the token ids.
#define _POSIX_C_SOURCE 200809L

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "llama.h"

struct duration {
    double wall;
    double cpu;  // of the calling thread, without the first token, which comes with the prompt
};

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    fprintf(stderr, "decode: %s\n", what);
    exit(1);
}

static void log_errors(enum ggml_log_level level, const char *text, void *user_data) {
    (void)user_data;
    if (level == GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
}

// Computes the prompt, then chooses n tokens one after the other. Returns the seconds that the n tokens took.
static struct duration generate(struct llama_context *context, const struct llama_vocab *vocab,
                                struct llama_sampler *sampler, llama_token *prompt, int prompt_length,
                                llama_token *tokens, int n) {
    llama_memory_clear(llama_get_memory(context), true);
    if (llama_decode(context, llama_batch_get_one(prompt, prompt_length)) != 0) {
        fail("the prompt could not be computed");
    }
    const double wall = seconds(CLOCK_MONOTONIC);
    double cpu = 0;
    size_t text = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && llama_decode(context, llama_batch_get_one(&tokens[i - 1], 1)) != 0) {
            fail("a token could not be computed");
        }
        tokens[i] = llama_sampler_sample(sampler, context, -1);
        char piece[256];
        const int length = llama_token_to_piece(vocab, tokens[i], piece, sizeof piece, 0, false);
        text += (size_t)(length > 0 ? length : 0);
        if (i == 0) {
            cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
        }
    }
    const struct duration taken = {seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_THREAD_CPUTIME_ID) - cpu};
    if (text == 0) {
        fail("the tokens have no text");
    }
    return taken;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fail("usage: decode MODEL PROMPT TOKENS ROUNDS THREADS");
    }
    const int n = atoi(argv[3]);
    const int rounds = atoi(argv[4]);
    const int threads = atoi(argv[5]);
    if (n < 2 || rounds < 1 || threads < 1) {
        fail("TOKENS must be at least 2, ROUNDS and THREADS at least 1");
    }

    llama_log_set(log_errors, NULL);
    ggml_backend_load_all_from_path(LIBRARY_DIR);
    struct llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (model == NULL) {
        fail("the model could not be loaded");
    }
    const struct llama_vocab *vocab = llama_model_get_vocab(model);

    llama_token prompt[512];
    const int prompt_length = llama_tokenize(vocab, argv[2], (int32_t)strlen(argv[2]), prompt, 512, true, true);
    if (prompt_length < 1) {
        fail("the prompt has no tokens, or more than 512");
    }

    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = 2048;
    params.n_threads = threads;
    params.n_threads_batch = threads;
    struct llama_context *context = llama_init_from_model(model, params);
    llama_token *tokens = malloc((size_t)n * sizeof *tokens);
    if (context == NULL || tokens == NULL || prompt_length + n > 2048) {
        fail("the context could not be made, or is too short");
    }
    struct llama_sampler *sampler = llama_sampler_chain_init(llama_sampler_chain_default_params());
    llama_sampler_chain_add(sampler, llama_sampler_init_greedy());

    for (int round = 0; round < rounds; round++) {
        const struct duration taken = generate(context, vocab, sampler, prompt, prompt_length, tokens, n);
        printf("round %.3f %.3f\n", n / taken.wall, (n - 1) / taken.cpu);
        fflush(stdout);
    }
    printf("ids");
    for (int i = 0; i < n; i++) {
        printf(" %d", tokens[i]);
    }
    printf("\n");

    free(tokens);
    llama_sampler_free(sampler);
    llama_free(context);
    llama_model_free(model);
    return 0;
}
