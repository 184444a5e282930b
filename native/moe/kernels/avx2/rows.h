// Multiplies rows by few columns, 32 weights of one row at a time: they go from memory through registers into the sums,
// once, and need no transposing.
//
// SHAPES      any number of rows, Columns columns, any number of steps
// DEFINITION  out[column][row] = sum of code * activation * scale
// LAYOUT      a vector holds 32 neighbouring weights; lanes are added up at the end of a row
#pragma once

#include "row_codes.h"

namespace panallama::PANALLAMA_FLAVOUR {

// How far ahead of its reading a row is fetched; the weights of the next row follow.
constexpr int row_read_ahead = 2048;

constexpr bool is_grid(format f) { return f == format::iq3_xxs || f == format::iq2_xs || f == format::iq2_xxs; }

// Each vector's sum is converted and multiplied by a scale of its own; otherwise sums of a step are integers.
template <format F> constexpr bool has_float_scales = shape_of(F).scale_per_32;

// Up to how many columns rows are faster than the tiles of stream.h, which need fewer instructions for each further
// column. Zen 5, in cycles per 256 weights beyond the caches, AVX2, one column: Q5_0 34 against 39, IQ4_NL 27.6
// and 28.9, Q2_K 19.5 and 21.5, Q5_K 28 and 31, IQ4_XS 31 and 34; but Q4_K 24 and 21, Q4_0 25.5 and 24.3, MXFP4 28.5
// and 27.4.
constexpr int max_row_columns(format f) {
    switch (f) {
        case format::iq3_xxs:
        case format::iq2_xs:
        case format::iq2_xxs:
            return 4;
        case format::q8_0:
            return has_vnni ? 1 : 4;
        case format::q4_k:
        case format::q4_0:
        case format::mxfp4:
            return 0;
        case format::iq4_xs:
        case format::q5_k:
            return has_vnni ? 0 : 1;
        default:
            return 1;
    }
}

// The products of 32 codes and activations, added up in dwords times `pairs`, which are int16.
template <format F, int J> inline PANALLAMA_INLINE __m256i dot_32(const row_source<F> &row, __m256i x, __m256i pairs) {
    constexpr code_shape shape = codes_of(F);
    const __m256i codes = row.template codes<J>();
    __m256i products;
    if constexpr (is_grid(F)) {
        products = _mm256_maddubs_epi16(codes, _mm256_sign_epi8(x, row.template signs_of<J>()));
    } else if constexpr (has_float_scales<F> && has_vnni) {
        __m256i sum = _mm256_setzero_si256();
        add_dot_8(sum, codes, x);
        return sum;
    } else if constexpr (F == format::q8_0) {  // -128 has no negative, but a magnitude
        products = _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(x, codes));
    } else if constexpr (shape.is_signed) {
        products = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(codes, x));
    } else {
        products = _mm256_maddubs_epi16(codes, x);
    }
    return _mm256_madd_epi16(products, pairs);
}

// The part of a step's sum that undoes the codes' offset.
inline __m256i bias_of_step(const scales_per_16 &scales, const activation_step &a) {
    const auto *bias = reinterpret_cast<const __m256i *>(a.bias);
    const __m256i even_first = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    const auto part = [&](__m256i pairs, int i) PANALLAMA_INLINE {
        const __m256i b = _mm256_permutevar8x32_epi32(_mm256_load_si256(bias + i), even_first);
        if constexpr (has_vnni) return _mm256_mullo_epi32(_mm256_srai_epi32(pairs, 16), b);
        return _mm256_madd_epi16(pairs, b);
    };
    return _mm256_add_epi32(part(_mm256_unpacklo_epi16(scales.words, scales.words), 0),
                            part(_mm256_unpackhi_epi16(scales.words, scales.words), 1));
}

// Sums of one row and column that are added up at its end: with a multiplication for each vector, one sum alone would
// wait for the one before most of the time.
template <format F, int Columns> constexpr int row_sums = !has_float_scales<F> ? 1 : Columns == 1 ? 4 : 2;

template <format F, int Columns> inline PANALLAMA_INLINE void row_step(const row_source<F> &row,
                                                                       const activation_step *const (&a)[Columns],
                                                                       __m256 (&total)[Columns][row_sums<F, Columns>]) {
    alignas(32) float scale[Columns][8];
    __m256i sum[Columns];
    if constexpr (has_float_scales<F>) {
        const __m256 d = row.float_scales();
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            const __m256 both = _mm256_mul_ps(d, _mm256_load_ps(a[c]->scale));
            _mm256_store_ps(scale[c], both);
            if constexpr (is_biased(F)) {
                __m256i bias = _mm256_load_si256(reinterpret_cast<const __m256i *>(a[c]->bias));
                if constexpr (!has_vnni) bias = _mm256_madd_epi16(bias, _mm256_set1_epi16(1));
                total[c][0] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(bias), both, total[c][0]);
            }
        });
    } else {
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            if constexpr (is_biased(F) && !is_grid(F)) {
                sum[c] = bias_of_step(row.scales, *a[c]);
            } else {
                sum[c] = _mm256_setzero_si256();
            }
        });
    }
    repeat<8>([&](auto j) PANALLAMA_INLINE {
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            const __m256i x = load_32(reinterpret_cast<const uint8_t *>(a[c]->q) + 32 * j);
            if constexpr (has_float_scales<F>) {
                const __m256i dot = dot_32<F, j>(row, x, _mm256_set1_epi16(1));
                __m256 &part = total[c][j % row_sums<F, Columns>];
                part = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_broadcast_ss(scale[c] + j), part);
            } else {
                sum[c] = _mm256_add_epi32(sum[c], dot_32<F, j>(row, x, row.scales.at(j)));
            }
        });
    });
    if constexpr (!has_float_scales<F>) {
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            const float of_x = a[c]->scale[0];
            __m256 &all = total[c][0];
            all = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[c]), _mm256_set1_ps(row.d() * of_x), all);
            if constexpr (shape_of(F).mins > 0) {
                const __m256i sums = _mm256_load_si256(reinterpret_cast<const __m256i *>(a[c]->sums));
                const __m256 below = _mm256_cvtepi32_ps(_mm256_madd_epi16(row.mins, sums));
                all = _mm256_fnmadd_ps(below, _mm256_set1_ps(row.min_scale() * of_x), all);
            }
        });
    }
}

inline float sum_of_lanes(__m256 v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

template <format F, int Columns> __attribute__((flatten)) void multiply_rows(const product &p) {
    row_source<F> row;
    alignas(32) uint8_t staged[step_bytes(F)];
    for (int r = 0; r < p.rows; r++) {
        const uint8_t *block = p.weights + static_cast<size_t>(r) * p.row_bytes;
        __m256 total[Columns][row_sums<F, Columns>];
        for (auto &sums : total) {
            for (__m256 &t : sums) t = _mm256_setzero_ps();
        }
        for (int s = 0; s < p.steps; s++, block += step_bytes(F)) {
            for (int i = 0; i < step_bytes(F); i += 64) {
                _mm_prefetch(reinterpret_cast<const char *>(block) + row_read_ahead + i, _MM_HINT_T0);
            }
            const activation_step *a[Columns];
            for (int c = 0; c < Columns; c++) a[c] = p.activations + s * p.tokens + p.columns[c].token;
            if constexpr (is_grid(F)) row.begin_step(block, s, p.steps - s);
            if (p.tail_blocks > 0 && s == p.steps - 1) {
                memset(staged, 0, sizeof staged);
                memcpy(staged, block, static_cast<size_t>(p.tail_blocks * shape_of(F).block_bytes));
                row.read(staged);
            } else {
                row.read(block);
            }
            row_step<F, Columns>(row, a, total);
        }
        for (int c = 0; c < Columns; c++) {
            __m256 all = total[c][0];
            for (int i = 1; i < row_sums<F, Columns>; i++) all = _mm256_add_ps(all, total[c][i]);
            p.columns[c].out[p.out_row + r] = sum_of_lanes(all);
        }
    }
}

}  // namespace panallama::PANALLAMA_FLAVOUR
