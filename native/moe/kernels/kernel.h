// What every instruction set's kernels look like to the code that calls them.
#pragma once

#include "format.h"

namespace panallama {

// 256 activations of one token, quantized to int8.
struct alignas(64) activation_step {
    int8_t q[step];
    int32_t bias[16];  // -offset * (sum of the group's q): undoes the offset that makes the weights unsigned. Not there
                       // where an instruction set multiplies signed by signed bytes
    float scale[8];    // one per 32 values, or only [0] when the format has one per 256
    int16_t sums[16];  // sum of q per 16 or per 32 values, for formats with minimums
};
static_assert(sizeof(activation_step) == 384, "six cache lines");

// One token of an expert: which quantized activations it reads and where its result row begins.
struct column {
    int32_t token;
    float *out;
};

// Activations as a graph has them, for kernels that do not quantize: those of token t at
// first + t % slots * slot_stride + t / slots * token_stride.
struct activation_source {
    const uint8_t *first;
    int64_t slots;
    size_t slot_stride, token_stride;

    const float *at(int64_t t) const {
        return reinterpret_cast<const float *>(first + static_cast<size_t>(t % slots) * slot_stride +
                                               static_cast<size_t>(t / slots) * token_stride);
    }
};

// columns[c].out[out_row + r] = sum over k of weights[r][k] * activations[columns[c].token][k], for r in [0, rows).
struct product {
    const uint8_t *weights;  // first row
    size_t row_bytes;        // distance of two rows
    int rows;
    int out_row;
    int steps;                           // ceil(k / 256)
    int tail_blocks;                     // blocks of the last step that exist, when k is not a multiple of 256; else 0
    const activation_step *activations;  // [steps][tokens]; null for a kernel that does not quantize
    activation_source source;
    int64_t tokens;
    const column *columns;
    int n_columns;
    void *scratch;        // scratch_bytes, 64-byte aligned, private to the calling thread
    const uint8_t *next;  // where the caller will go on reading weights, or null: fetched ahead
};

struct kernel {
    int panel_rows;  // rows that one pass takes together; callers split rows at its multiples
    size_t scratch_bytes;
    // Quantizes k values (k is a multiple of 32); out[i * stride] receives step i. Null where multiply() reads the
    // activations from their source: results may then not be written over them.
    void (*quantize)(const float *x, int64_t k, activation_step *out, int64_t stride);
    void (*multiply)(const product &p);
    // llama.cpp is faster with fewer columns: where no expert can have as many, and where there are no experts.
    int min_columns = 1;
    int min_dense_columns = 0;  // 0: as many as with experts
};

}  // namespace panallama
