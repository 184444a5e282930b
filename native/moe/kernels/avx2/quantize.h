// SHAPES      rows of k activations, k a multiple of 32
// DEFINITION  q = round(x / scale), scale = max |x| / 127 over 32 or 256 values
// LAYOUT      activation_step of kernel.h; for AVX2 a bias holds two int16, of the even and of the odd pairs of the
// group's
//             activations
#pragma once

#include <algorithm>

#include "dot.h"

namespace panallama::PANALLAMA_FLAVOUR {

inline float largest_lane(__m256 v) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

// The dwords of each half added up, in all of them. Add works on dwords or on the words in them.
template <class Add> inline __m256i fold_halves(__m256i v, Add &&add) {
    v = add(v, _mm256_shuffle_epi32(v, 0x4e));
    return add(v, _mm256_shuffle_epi32(v, 0xb1));
}

// Stores per 16 values, or per 32 when `Group` says so.
template <int Group, class Add, class Store> inline void store_sums(int i, __m256i v, Add &&add, Store &&store) {
    v = fold_halves(v, add);
    const __m128i low = _mm256_castsi256_si128(v);
    const __m128i high = _mm256_extracti128_si256(v, 1);
    if constexpr (Group == 16) {
        store(2 * i, _mm_cvtsi128_si32(low));
        store(2 * i + 1, _mm_cvtsi128_si32(high));
    } else {
        store(i, _mm_cvtsi128_si32(_mm256_castsi256_si128(add(v, _mm256_castsi128_si256(high)))));
    }
}

template <format F> inline void finish_step(activation_step *out) {
    constexpr code_shape codes = codes_of(F);
    constexpr int mins = shape_of(F).mins;
    const auto add_16 = [](__m256i a, __m256i b) { return _mm256_add_epi16(a, b); };
    const auto add_32 = [](__m256i a, __m256i b) { return _mm256_add_epi32(a, b); };
    for (int i = 0; i < 8; i++) {
        const __m256i q = _mm256_load_si256(reinterpret_cast<const __m256i *>(out->q + 32 * i));
        const __m256i pairs = _mm256_maddubs_epi16(bytes_of(1), q);
        if constexpr (is_biased(F)) {
            const auto store = [&](int at, int v) { out->bias[at] = v; };
            const __m256i minus = _mm256_set1_epi16(-codes.offset);
            if constexpr (has_vnni) {
                store_sums<codes.group>(i, _mm256_madd_epi16(pairs, minus), add_32, store);
            } else {
                store_sums<codes.group>(i, _mm256_mullo_epi16(pairs, minus), add_16, store);
            }
        }
        if constexpr (mins > 0) {
            store_sums<step / mins>(i, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)), add_32,
                                    [&](int at, int v) { out->sums[at] = static_cast<int16_t>(v); });
        }
    }
}

// 32 values to int8, in order.
inline __m256i to_int8(const float *x, __m256 inverse) {
    const auto rounded = [&](int i) { return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), inverse)); };
    const __m256i words = _mm256_packs_epi32(rounded(0), rounded(1));
    const __m256i more = _mm256_packs_epi32(rounded(2), rounded(3));
    return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(words, more), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

template <format F> void quantize(const float *x, int64_t k, activation_step *out, int64_t stride) {
    constexpr int width = shape_of(F).scale_per_32 ? 32 : step;
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    for (int64_t first = 0; first < k; first += step, x += step, out += stride) {
        const int n = static_cast<int>(std::min<int64_t>(step, k - first));
        if (n < step) *out = {};
        for (int at = 0; at < n; at += width) {
            const int end = std::min(at + width, n);
            __m256 peaks = _mm256_setzero_ps();
            for (int i = at; i < end; i += 8) {
                peaks = _mm256_max_ps(peaks, _mm256_and_ps(_mm256_loadu_ps(x + i), magnitude));
            }
            const float peak = largest_lane(peaks);
            const __m256 inverse = _mm256_set1_ps(peak > 0 ? 127.0f / peak : 0.0f);
            out->scale[at / width] = peak / 127.0f;
            for (int i = at; i < end; i += 32) {
                _mm256_store_si256(reinterpret_cast<__m256i *>(out->q + i), to_int8(x + i, inverse));
            }
        }
        finish_step<F>(out);
    }
}

}  // namespace panallama::PANALLAMA_FLAVOUR
