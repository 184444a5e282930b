// Rows of any format in which every code and group scale occurs, and no scale is infinite or a NaN.
#pragma once

#include <random>

#include "backend/compatibility.h"

namespace panallama {

// Where a format keeps its half-precision scales.
struct scale_offsets {
    int count;
    int at[2];
};

inline scale_offsets half_scales_of(format f) {
    switch (f) {
        case format::mxfp4:
        case format::f16:
        case format::bf16:
            return {0, {}};
        case format::q2_k:
            return {2, {80, 82}};
        case format::q3_k:
            return {1, {108}};
        case format::q4_k:
        case format::q5_k:
            return {2, {0, 2}};
        case format::q6_k:
            return {1, {208}};
        default:
            return {1, {0}};
    }
}

inline void random_weights(format f, int64_t bytes, std::mt19937 &random, uint8_t *out) {
    const format_shape shape = shape_of(f);
    const scale_offsets scales = half_scales_of(f);
    for (int64_t i = 0; i < bytes; i++) out[i] = static_cast<uint8_t>(random());
    for (int64_t b = 0; b < bytes; b += shape.block_bytes) {
        for (int i = 0; i < scales.count; i++) {
            // 2^-8 .. 2^-5, either sign for the formats that have no minimums
            const auto h =
                static_cast<uint16_t>(0x1c00 + random() % 0x0c00 + (shape.mins == 0 && random() % 2 ? 0x8000 : 0));
            out[b + scales.at[i]] = static_cast<uint8_t>(h);
            out[b + scales.at[i] + 1] = static_cast<uint8_t>(h >> 8);
        }
        // 2^-8 .. 2^-5 again; every thirteenth is anything below, down to subnormals
        if (is_float(f)) {
            const auto top = static_cast<uint16_t>(out[b + 1] << 8 | out[b]);
            const int mantissa = f == format::f16 ? 10 : 7;
            const int one = f == format::f16 ? 15 : 127;
            const auto exponent = static_cast<int>(random() % 13 == 0 ? random() % static_cast<unsigned>(one - 5)
                                                                      : static_cast<unsigned>(one - 8) + random() % 3);
            const int h = (top & 0x8000) | exponent << mantissa | (top & ((1 << mantissa) - 1));
            out[b] = static_cast<uint8_t>(h);
            out[b + 1] = static_cast<uint8_t>(h >> 8);
        }
        if (f == format::mxfp4) out[b] = static_cast<uint8_t>(120 + random() % 8);
    }
}

}  // namespace panallama
