// What becomes of the outputs of a token's experts: their sum, each times its router weight.
//
// SHAPES      in [tokens][used][rows], weights [tokens][used], out [tokens][rows]
// DEFINITION  out[t] = ((weights[t][0] * in[t][0] + weights[t][1] * in[t][1]) + ...), as llama.cpp adds them up
#pragma once

#include <cstddef>
#include <cstdint>

namespace panallama {

struct weighted_sum {
    const uint8_t *in;
    size_t in_slot_stride, in_token_stride;
    const uint8_t *weights;
    size_t weight_slot_stride, weight_token_stride;
    uint8_t *out;
    size_t out_token_stride;
    int64_t rows;
    int used;
    int64_t tokens;

    // Called once by each of `threads` threads.
    void run(int thread, int threads) const;
};

}  // namespace panallama
