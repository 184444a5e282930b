// The codebooks of the table-driven formats. They are part of the file format and are read once, through
// llama.cpp's own dequantizer, from the runtime that is loaded: so they cannot disagree with it.
#pragma once

#include <cstdint>

namespace panallama {

struct codebooks {
    int8_t iq4[16];    // IQ4_NL and IQ4_XS: value of a 4-bit code
    int8_t mxfp4[16];  // MXFP4: twice the value of an E2M1 code
    uint8_t iq2_xxs[256][8];
    uint8_t iq2_xs[512][8];
    uint8_t iq3_xxs[256][4];
};

// Filled by load_codebooks() before the first kernel runs; constant afterwards.
extern codebooks books;

// The values that the bytes of a grid take, in increasing order.
constexpr uint8_t iq2_levels[4] = {8, 25, 43, 0};
constexpr uint8_t iq3_levels[8] = {4, 12, 20, 28, 36, 44, 52, 62};

using dequantizer = void (*)(const void *blocks, float *out, int64_t n);

struct dequantizers {
    dequantizer iq4_nl, mxfp4, iq2_xxs, iq2_xs, iq3_xxs;
};

// False when a dequantizer does not behave like the format the kernels were written for.
bool load_codebooks(const dequantizers &from);

}  // namespace panallama
