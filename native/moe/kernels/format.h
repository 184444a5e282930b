// The weight formats that the kernels know, and the sizes of their blocks in a GGUF file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace panallama {

enum class format : uint8_t {
    q8_0,
    q4_0,
    q5_0,
    iq4_nl,
    mxfp4,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
    iq4_xs,
    iq3_xxs,
    iq2_xs,
    iq2_xxs,
    f16,
    bf16,
};

constexpr int format_count = 16;

// How a format's integer sums turn into floats. A step is 256 weights of one row.
struct format_shape {
    const char *name;   // as ggml_type_name() spells it
    int block_weights;  // weights in one block of the file
    int block_bytes;    // bytes in one block of the file
    int group;          // weights that share one scale in a kernel: 16, 32 or 256
    int offset;         // what a kernel adds to a signed weight to make it unsigned
    int mins;           // minimums subtracted per step: 0, 8 (one per 32 weights) or 16 (one per 16)
    bool scale_per_32;  // activations carry a scale per 32 values, otherwise one per 256
};

constexpr int step = 256;

constexpr format_shape shape_of(format f) {
    switch (f) {
        case format::q8_0:
            return {"q8_0", 32, 34, 32, 128, 0, true};
        case format::q4_0:
            return {"q4_0", 32, 18, 32, 8, 0, true};
        case format::q5_0:
            return {"q5_0", 32, 22, 32, 16, 0, true};
        case format::iq4_nl:
            return {"iq4_nl", 32, 18, 32, 128, 0, true};
        case format::mxfp4:
            return {"mxfp4", 32, 17, 32, 128, 0, true};
        case format::q2_k:
            return {"q2_K", 256, 84, 256, 0, 16, false};
        case format::q3_k:
            return {"q3_K", 256, 110, 256, 128, 0, false};
        case format::q4_k:
            return {"q4_K", 256, 144, 32, 0, 8, false};
        case format::q5_k:
            return {"q5_K", 256, 176, 32, 0, 8, false};
        case format::q6_k:
            return {"q6_K", 256, 210, 16, 32, 0, false};
        case format::iq4_xs:
            return {"iq4_xs", 256, 136, 32, 128, 0, false};
        case format::iq3_xxs:
            return {"iq3_xxs", 256, 98, 32, 128, 0, false};
        case format::iq2_xs:
            return {"iq2_xs", 256, 74, 16, 128, 0, false};
        case format::iq2_xxs:
            return {"iq2_xxs", 256, 66, 32, 128, 0, false};
        case format::f16:
            return {"f16", 1, 2, step, 0, 0, false};
        case format::bf16:
            return {"bf16", 1, 2, step, 0, 0, false};
    }
    return {};
}

// Whether weights are numbers by themselves, and multiplied by activations that are not quantized.
constexpr bool is_float(format f) { return shape_of(f).block_weights == 1; }

// Bytes of one step of a row: eight blocks of a 32-weight format, one of a 256-weight format.
constexpr int step_bytes(format f) { return shape_of(f).block_bytes * (step / shape_of(f).block_weights); }

}  // namespace panallama
