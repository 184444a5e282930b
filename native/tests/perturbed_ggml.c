#define _GNU_SOURCE
#include "perturbed_ggml.h"

#include <dlfcn.h>

#include "ggml.h"

enum perturbation perturbation = as_it_is;

const char *ggml_version(void) {
    const char *(*real)(void) = (const char *(*)(void))dlsym(RTLD_NEXT, "ggml_version");
    return perturbation == other_version ? "0.99.0" : real();
}

const char *ggml_op_name(enum ggml_op op) {
    const char *(*real)(enum ggml_op) = (const char *(*)(enum ggml_op))dlsym(RTLD_NEXT, "ggml_op_name");
    return perturbation == other_operation && op == GGML_OP_CUSTOM ? "CROSS_ENTROPY_LOSS" : real(op);
}

const char *ggml_type_name(enum ggml_type type) {
    const char *(*real)(enum ggml_type) = (const char *(*)(enum ggml_type))dlsym(RTLD_NEXT, "ggml_type_name");
    return perturbation == other_type && type == GGML_TYPE_Q5_K ? "q5_K_R4" : real(type);
}
