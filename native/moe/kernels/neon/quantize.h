// SHAPES      rows of k activations, k a multiple of 32
// DEFINITION  q = round(x / scale), scale = max |x| / 127 over 32 or 256 values
// LAYOUT      activation_step of kernel.h, without the bias: weights stay signed here
#pragma once

#include <algorithm>

#include "../kernel.h"
#include "row.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

// Sixteen values times `inverse`, rounded to nearest even.
inline int8x16_t round_16(const float *x, float inverse) {
    int16x4_t part[4];
    for (int i = 0; i < 4; i++) part[i] = vqmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 4 * i), inverse)));
    return vcombine_s8(vqmovn_s16(vcombine_s16(part[0], part[1])), vqmovn_s16(vcombine_s16(part[2], part[3])));
}

template <format F> void quantize(const float *x, int64_t k, activation_step *out, int64_t stride) {
    constexpr format_shape shape = shape_of(F);
    constexpr int width = shape.scale_per_32 ? 32 : step;
    for (int64_t first = 0; first < k; first += step, x += step, out += stride) {
        const int n = static_cast<int>(std::min<int64_t>(step, k - first));
        if (n < step) *out = {};
        for (int at = 0; at < n; at += width) {
            const int end = std::min(at + width, n);
            float32x4_t peaks = vdupq_n_f32(0);
            for (int i = at; i < end; i += 4) peaks = vmaxq_f32(peaks, vabsq_f32(vld1q_f32(x + i)));
            const float peak = vmaxvq_f32(peaks);
            const float inverse = peak > 0 ? 127.0f / peak : 0.0f;
            out->scale[at / width] = peak / 127.0f;
            for (int i = at; i < end; i += 16) vst1q_s8(out->q + i, round_16(x + i, inverse));
        }
        if constexpr (shape.mins == 16) {
            for (int m = 0; m < 16; m++) out->sums[m] = vaddlvq_s8(vld1q_s8(out->q + 16 * m));
        } else if constexpr (shape.mins == 8) {
            for (int m = 0; m < 8; m++) {
                const int16x8_t pairs = vpaddlq_s8(vld1q_s8(out->q + 32 * m));
                out->sums[m] = vaddvq_s16(vpadalq_s8(pairs, vld1q_s8(out->q + 32 * m + 16)));
            }
        }
    }
}

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
