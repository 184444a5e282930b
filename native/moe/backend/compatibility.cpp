#include "compatibility.h"

#include <cstdio>
#include <cstring>

#include "../kernels/codebook.h"

namespace panallama {

namespace {

constexpr const char *ggml_version_built_for = "0.23.0";  // llama.cpp v0.4.0

struct op_name {
    ggml_op op;
    const char *name;
};

constexpr op_name ops[] = {
    {GGML_OP_NONE, "NONE"},     {GGML_OP_MUL_MAT, "MUL_MAT"}, {GGML_OP_MUL_MAT_ID, "MUL_MAT_ID"},
    {GGML_OP_CUSTOM, "CUSTOM"}, {GGML_OP_GLU, "GLU"},
};

constexpr ggml_type types[format_count] = {
    GGML_TYPE_Q8_0,   GGML_TYPE_Q4_0,    GGML_TYPE_Q5_0, GGML_TYPE_IQ4_NL, GGML_TYPE_MXFP4,  GGML_TYPE_Q2_K,
    GGML_TYPE_Q3_K,   GGML_TYPE_Q4_K,    GGML_TYPE_Q5_K, GGML_TYPE_Q6_K,   GGML_TYPE_IQ4_XS, GGML_TYPE_IQ3_XXS,
    GGML_TYPE_IQ2_XS, GGML_TYPE_IQ2_XXS, GGML_TYPE_F16,  GGML_TYPE_BF16,
};

template <ggml_type T> void dequantize(const void *blocks, float *out, int64_t n) {
    ggml_get_type_traits(T)->to_float(blocks, out, n);
}

}  // namespace

ggml_type type_of(format f) { return types[static_cast<int>(f)]; }

bool format_of(ggml_type type, format *out) {
    for (int i = 0; i < format_count; i++) {
        if (types[i] == type) {
            *out = static_cast<format>(i);
            return true;
        }
    }
    return false;
}

bool is_compatible(char *why, size_t size) {
    if (strcmp(ggml_version(), ggml_version_built_for) != 0) {
        snprintf(why, size, "ggml is %s, built for %s", ggml_version(), ggml_version_built_for);
        return false;
    }
    for (const op_name &o : ops) {
        if (strcmp(ggml_op_name(o.op), o.name) != 0) {
            snprintf(why, size, "operation %d is %s, expected %s", static_cast<int>(o.op), ggml_op_name(o.op), o.name);
            return false;
        }
    }
    for (int i = 0; i < format_count; i++) {
        const format_shape shape = shape_of(static_cast<format>(i));
        const ggml_type type = types[i];
        const char *name = ggml_type_name(type);
        if (name == nullptr || strcmp(name, shape.name) != 0 || ggml_blck_size(type) != shape.block_weights ||
            ggml_type_size(type) != static_cast<size_t>(shape.block_bytes)) {
            snprintf(why, size, "type %d is %s, expected %s", static_cast<int>(type), name ? name : "?", shape.name);
            return false;
        }
    }
    if (!load_codebooks({dequantize<GGML_TYPE_IQ4_NL>, dequantize<GGML_TYPE_MXFP4>, dequantize<GGML_TYPE_IQ2_XXS>,
                         dequantize<GGML_TYPE_IQ2_XS>, dequantize<GGML_TYPE_IQ3_XXS>})) {
        snprintf(why, size, "a codebook of the IQ or MXFP4 types differs");
        return false;
    }
    return true;
}

}  // namespace panallama
