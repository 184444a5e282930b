// SHAPES      rows of k activations, k a multiple of 32
// DEFINITION  q = round(x / scale), scale = max |x| / 127 over 32 or 256 values
// LAYOUT      activation_step of kernel.h
#pragma once

#include <immintrin.h>

#include <algorithm>

#include "../kernel.h"

namespace panallama::avx512 {

// Sums of 16 bytes each of v, in the lanes 4 i to 4 i + 3.
inline __m512i sums_of_16(__m512i v) {
    __m512i s = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), v);
    s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_BADC));
    return _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_CDAB));
}

template <format F> inline void finish_step(activation_step *out) {
    constexpr format_shape shape = shape_of(F);
    // Sums of 16 values in order: part i of 64 values goes to lanes 4 i .. 4 i + 3.
    __m512i sums = _mm512_setzero_si512();
    for (int i = 0; i < 4; i++) {
        const __m512i s = sums_of_16(_mm512_load_si512(out->q + 64 * i));
        const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
        sums = _mm512_mask_permutexvar_epi32(sums, static_cast<__mmask16>(15u << 4 * i), order, s);
    }
    // Sums of 32 in the lower eight lanes.
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i pairs =
        _mm512_add_epi32(_mm512_permutexvar_epi32(even, sums),
                         _mm512_permutexvar_epi32(_mm512_add_epi32(even, _mm512_set1_epi32(1)), sums));
    if constexpr (shape.offset != 0) {
        const __m512i minus = _mm512_set1_epi32(-shape.offset);
        if constexpr (shape.group == step) {
            out->bias[0] = -shape.offset * _mm512_reduce_add_epi32(sums);
        } else {
            _mm512_store_si512(out->bias, _mm512_mullo_epi32(shape.group == 16 ? sums : pairs, minus));
        }
    }
    if constexpr (shape.mins > 0) {
        _mm256_store_si256(reinterpret_cast<__m256i *>(out->sums),
                           _mm512_cvtepi32_epi16(shape.mins == 16 ? sums : pairs));
    }
}

template <format F> void quantize(const float *x, int64_t k, activation_step *out, int64_t stride) {
    constexpr bool per_32 = shape_of(F).scale_per_32;
    constexpr int width = per_32 ? 32 : step;
    for (int64_t first = 0; first < k; first += step, x += step, out += stride) {
        const int n = static_cast<int>(std::min<int64_t>(step, k - first));
        if (n < step) *out = {};
        for (int at = 0; at < n; at += width) {
            const int end = std::min(at + width, n);
            __m512 peaks = _mm512_setzero_ps();
            for (int i = at; i < end; i += 16) peaks = _mm512_max_ps(peaks, _mm512_abs_ps(_mm512_loadu_ps(x + i)));
            const float peak = _mm512_reduce_max_ps(peaks);
            const __m512 inverse = _mm512_set1_ps(peak > 0 ? 127.0f / peak : 0.0f);
            out->scale[at / width] = peak / 127.0f;
            for (int i = at; i < end; i += 16) {
                const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + i), inverse));
                _mm_store_si128(reinterpret_cast<__m128i *>(out->q + i), _mm512_cvtsepi32_epi8(q));
            }
        }
        finish_step<F>(out);
    }
}

}  // namespace panallama::avx512
