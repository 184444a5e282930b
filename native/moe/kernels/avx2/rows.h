// Multiplies rows by few columns, 32 weights of one row at a time: for formats whose weights come that way, because
// they are looked up in a grid or lie there as bytes.
//
// SHAPES      any number of rows, Columns columns, any number of steps
// DEFINITION  out[column][row] = sum of magnitude * (activation with the weight's sign) * scale
// LAYOUT      a vector holds 32 neighbouring weights; lanes are added up at the end of a row
#pragma once

#include "dot.h"
#include "unpack_iq.h"
#include "unpack_small.h"

namespace panallama::PANALLAMA_FLAVOUR {

constexpr int max_row_columns = 4;

// How far ahead of its reading a row is fetched; the weights of the next row follow.
constexpr int row_read_ahead = 2048;

constexpr bool multiplies_by_rows(format f) {
    return f == format::iq3_xxs || f == format::iq2_xs || f == format::iq2_xxs || (f == format::q8_0 && !has_vnni);
}

inline __m256i activations_32(const activation_step &a, int g) {
    return _mm256_load_si256(reinterpret_cast<const __m256i *>(a.q + 32 * g));
}

// Integer scales of a block's groups of 32: pairs of int16, as dwords at `pairs` in any order that at(g) knows.
template <format F> struct row_scales;

template <> struct row_scales<format::iq2_xxs> {
    alignas(32) int32_t pairs[8];

    explicit row_scales(const uint8_t *block) {
        const __m256 a = _mm256_loadu_ps(reinterpret_cast<const float *>(block + 2));
        const __m256 b = _mm256_loadu_ps(reinterpret_cast<const float *>(block + 34));
        const __m256i words = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));  // of groups 0 1 4 5 2 3 6 7
        const __m256i s = odd_scale(_mm256_srli_epi32(words, 28));
        _mm256_store_si256(reinterpret_cast<__m256i *>(pairs), _mm256_or_si256(s, _mm256_slli_epi32(s, 16)));
    }

    __m256i at(int g) const { return _mm256_set1_epi32(pairs[(g & 1) | (g & 2) << 1 | (g & 4) >> 1]); }

    static constexpr float unit = 0.125f;
};

template <> struct row_scales<format::iq3_xxs> {
    alignas(32) int32_t pairs[8];

    explicit row_scales(const uint8_t *block) {
        const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(block + 66));
        const __m256i s = odd_scale(_mm256_srli_epi32(words, 28));
        _mm256_store_si256(reinterpret_cast<__m256i *>(pairs), _mm256_or_si256(s, _mm256_slli_epi32(s, 16)));
    }

    __m256i at(int g) const { return _mm256_set1_epi32(pairs[g]); }

    static constexpr float unit = 0.25f;
};

template <> struct row_scales<format::iq2_xs> {
    __m256i words;  // sixteen scales as int16, in each half

    explicit row_scales(const uint8_t *block) {
        const __m128i nibbles = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(block + 66));
        const __m128i fifteen = _mm_set1_epi8(15);
        const __m128i s =
            _mm_unpacklo_epi8(_mm_and_si128(nibbles, fifteen), _mm_and_si128(_mm_srli_epi16(nibbles, 4), fifteen));
        words = _mm256_broadcastsi128_si256(_mm_or_si128(_mm_add_epi8(s, s), _mm_set1_epi8(1)));
    }

    // The low half takes the scale of the group's first 16 weights, the high half that of the others.
    __m256i at(int g) const {
        const __m256i first = _mm256_setr_epi32(static_cast<int>(0x80008000u), static_cast<int>(0x80008000u),
                                                static_cast<int>(0x80008000u), static_cast<int>(0x80008000u),
                                                static_cast<int>(0x80018001u), static_cast<int>(0x80018001u),
                                                static_cast<int>(0x80018001u), static_cast<int>(0x80018001u));
        return _mm256_shuffle_epi8(words, _mm256_add_epi8(first, _mm256_set1_epi16(static_cast<int16_t>(2 * g))));
    }

    static constexpr float unit = 0.125f;
};

// One step of a row: grid formats add up in 32 bits, since their scales are integers.
template <format F, int Columns>
inline PANALLAMA_INLINE void row_step(const unpacker<F> &unpack, const uint8_t *block, int blocks,
                                      const activation_step *const (&a)[Columns], __m256 (&total)[Columns]) {
    if constexpr (F == format::q8_0) {
        alignas(16) int16_t halves[8] = {};
        for (int b = 0; b < blocks; b++) memcpy(halves + b, block + 34 * b, 2);
        const __m256 d = _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i *>(halves)));
        alignas(32) float scale[Columns][8];
        for (int c = 0; c < Columns; c++) _mm256_store_ps(scale[c], _mm256_mul_ps(d, _mm256_load_ps(a[c]->scale)));
        for (int b = 0; b < blocks; b++) {
            const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(block + 34 * b + 2));
            const __m256i magnitude = _mm256_abs_epi8(w);
            for (int c = 0; c < Columns; c++) {
                const __m256i products = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(activations_32(*a[c], b), w));
                const __m256i sum = _mm256_madd_epi16(products, _mm256_set1_epi16(1));
                total[c] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_broadcast_ss(scale[c] + b), total[c]);
            }
        }
    } else {
        const row_scales<F> scales(block);
        __m256i sum[Columns];
        for (__m256i &s : sum) s = _mm256_setzero_si256();
        repeat<8>([&](auto g) PANALLAMA_INLINE {
            const __m256i magnitude = unpacker<F>::magnitudes(block, g);
            const __m256i sign = unpacker<F>::signs_of(unpack.t, block, g);
            const __m256i scale = scales.at(g);
            for (int c = 0; c < Columns; c++) {
                add_dot_16(sum[c], _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(activations_32(*a[c], g), sign)),
                           scale);
            }
        });
        const float d = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(load_as<uint16_t>(block)))) * row_scales<F>::unit;
        for (int c = 0; c < Columns; c++) {
            total[c] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[c]), _mm256_set1_ps(d * a[c]->scale[0]), total[c]);
        }
    }
}

inline float sum_of_lanes(__m256 v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

template <format F, int Columns> __attribute__((flatten)) void multiply_rows(const product &p) {
    const unpacker<F> unpack;
    for (int r = 0; r < p.rows; r++) {
        const uint8_t *block = p.weights + static_cast<size_t>(r) * p.row_bytes;
        __m256 total[Columns];
        for (__m256 &t : total) t = _mm256_setzero_ps();
        for (int s = 0; s < p.steps; s++, block += step_bytes(F)) {
            for (int i = 0; i < step_bytes(F); i += 64) {
                _mm_prefetch(reinterpret_cast<const char *>(block) + row_read_ahead + i, _MM_HINT_T0);
            }
            const activation_step *a[Columns];
            for (int c = 0; c < Columns; c++) a[c] = p.activations + s * p.tokens + p.columns[c].token;
            if (s == p.steps - 1 && p.tail_blocks > 0) {
                row_step<F, Columns>(unpack, block, p.tail_blocks, a, total);
            } else {
                row_step<F, Columns>(unpack, block, 8, a, total);
            }
        }
        for (int c = 0; c < Columns; c++) p.columns[c].out[p.out_row + r] = sum_of_lanes(total[c]);
    }
}

}  // namespace panallama::PANALLAMA_FLAVOUR
