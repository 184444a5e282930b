// Our libraries in a folder beside llama.cpp's, as a natives jar holds them: whether they load by themselves, and when
// the CPU variant wants to be taken. Linked to none of them.

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int above_stock = 1 << 20;

// Instruction sets that were not measured are not taken by themselves.
#ifdef __aarch64__
static const int measured = 0;
#else
static const int measured = 1;
#endif

static int fail(const char *what) {
    const char *error = dlerror();
    fprintf(stderr, "%s%s%s\n", what, error ? ": " : "", error ? error : "");
    return 1;
}

static void *open_library(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

// A function as a pointer of its type: ISO C converts no other way.
static int find(void *library, const char *name, void *function) {
    void *address = dlsym(library, name);
    memcpy(function, &address, sizeof address);
    return address != NULL;
}

static int check_variant(const char *folder, int wanted) {
    void *base = open_library(folder, "libggml-base.so");
    void *variant = open_library(folder, "libggml-cpu-panallama.so");
    if (!base || !variant) return fail("does not load");
    int (*score)(void);
    void *(*init)(void);
    const char *(*name_of)(void *);
    if (!find(variant, "ggml_backend_score", &score) || !find(variant, "ggml_backend_init", &init) ||
        !find(base, "ggml_backend_reg_name", &name_of)) {
        return fail("lacks a function");
    }
    if ((score() > above_stock) != wanted) {
        fprintf(stderr, "its score is %d\n", score());
        return 1;
    }
    void *registration = init();
    if ((registration != NULL) != wanted) return fail("its registration is there, or is not");
    return wanted && strcmp(name_of(registration), "CPU") != 0 ? fail(name_of(registration)) : 0;
}

static int check_chat(const char *folder) {
    void *chat = open_library(folder, "libpanallama-chat.so");
    if (!chat) return fail("does not load");
    int (*schema_to_grammar)(const char *, char **);
    void (*free_text)(char *);
    if (!find(chat, "panallama_chat_schema_to_grammar", &schema_to_grammar) ||
        !find(chat, "panallama_chat_free", &free_text)) {
        return fail("lacks a function");
    }
    char *grammar = NULL;
    const int status = schema_to_grammar("{\"type\": \"boolean\"}", &grammar);
    const int right = status == 0 && grammar && strstr(grammar, "true") && strstr(grammar, "false");
    if (!right) fprintf(stderr, "status %d: %s\n", status, grammar ? grammar : "");
    free_text(grammar);
    return !right;
}

static const struct {
    const char *what;
    const char *kernels;  // value of PANALLAMA_KERNELS
    const char *isa;      // value of PANALLAMA_FORCE_ISA
    int wanted;           // the answer, or -1: as this CPU has it
} cases[] = {
    {"by default", "", "", measured ? -1 : 0},
    {"switched on", "on", "", -1},
    {"switched off", "off", "", 0},
    {"an instruction set that every CPU has", "", "generic", 1},
};

// Loads in a process of its own, since the variant decides once.
static int run_apart(const char *folder, const char *kernels, const char *isa, int wanted) {
    const pid_t child = fork();
    if (child == 0) {
        setenv("PANALLAMA_KERNELS", kernels, 1);
        setenv("PANALLAMA_FORCE_ISA", isa, 1);
        _exit(check_variant(folder, wanted));
    }
    int status = 1;
    waitpid(child, &status, 0);
    return status != 0;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: load_test <folder> <1 if this CPU has one of the instruction sets, else 0>\n");
        return 2;
    }
    int failures = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int wanted = cases[i].wanted < 0 ? atoi(argv[2]) : cases[i].wanted;
        const int failed = run_apart(argv[1], cases[i].kernels, cases[i].isa, wanted);
        printf("the CPU variant, %s: %s\n", cases[i].what, failed ? "FAILED" : "as it should be");
        failures += failed;
    }
    const int failed = check_chat(argv[1]);
    printf("the chat library: %s\n", failed ? "FAILED" : "as it should be");
    return failures + failed > 0;
}
