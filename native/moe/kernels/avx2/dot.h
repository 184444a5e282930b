// Dot products of a quad with activations, and how they become floats.
#pragma once

#include "../kernel.h"
#include "tile.h"

namespace panallama::PANALLAMA_FLAVOUR {

inline __m256i four_activations(const int8_t *q) {
    int32_t v;
    __builtin_memcpy(&v, q, 4);
    return _mm256_set1_epi32(v);
}

inline __m256i two_sums(const int16_t *s) {
    int32_t v;
    __builtin_memcpy(&v, s, 4);
    return _mm256_set1_epi32(v);
}

// sum += products of two int16 each, per dword.
inline PANALLAMA_INLINE void add_dot_16(__m256i &sum, __m256i a, __m256i b) {
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

// sum += products of four unsigned bytes of w and four signed bytes of x, per dword. As assembly, since GCC 12 copies
// the sums around the intrinsic in every iteration of a loop.
inline PANALLAMA_INLINE void add_dot_8(__m256i &sum, __m256i w, __m256i x) {
#ifdef __AVXVNNI__
#ifdef __GNUC__
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(w), "x"(x));
#else
    sum = _mm256_dpbusd_avx_epi32(sum, w, x);
#endif
#else
    add_dot_16(sum, _mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1));
#endif
}

// sum += products of two unsigned bytes of w and two signed bytes of x, per word, wrapping around. As assembly, since
// GCC 12 does all multiplications before the additions, and keeps their results in memory.
inline PANALLAMA_INLINE void add_brief(__m256i &sum, __m256i w, __m256i x) {
#ifdef __GNUC__
    __m256i products;
    __asm__("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(w), "x"(x));
#else
    sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(w, x));
#endif
}

// The sums of one tile and one column.
//
// AVX2      short sums of up to `chain` vectors, which are multiplied by the group's integer scale and added to the
//           step's in 32 bits; one conversion to float per step. Formats of 32-weight blocks convert each block's.
// AVX-VNNI  32-bit sums per group, converted and multiplied by the group's scale.
template <format F> struct dot_sum {
    static constexpr code_shape codes = codes_of(F);
    static constexpr bool small_blocks = shape_of(F).scale_per_32;
    static constexpr bool in_16_bits = !has_vnni && !codes.is_signed;
    static constexpr bool sums_step = !has_vnni && !small_blocks;

    __m256i sum;    // of the group, or of the step where sums_step
    __m256i brief;  // in 16 bits
    __m256 total;   // of all steps for 32-weight blocks, otherwise of this one

    PANALLAMA_INLINE void begin_step(__m256 before) {
        total = small_blocks ? before : _mm256_setzero_ps();
        if constexpr (sums_step) sum = _mm256_setzero_si256();
    }

    PANALLAMA_INLINE void begin_group(const activation_step &a, int g) {
        const __m256i start = is_biased(F) ? _mm256_set1_epi32(a.bias[g]) : _mm256_setzero_si256();
        if constexpr (in_16_bits) brief = start;
        if constexpr (has_vnni) sum = start;
        if constexpr (!has_vnni && small_blocks) sum = _mm256_setzero_si256();
    }

    // One vector of unsigned codes.
    PANALLAMA_INLINE void add(__m256i w, __m256i x) {
        if constexpr (has_vnni) {
            add_dot_8(sum, w, x);
        } else {
            add_brief(brief, w, x);
        }
    }

    // Vectors of signed codes, for AVX2; as many as one chain takes. x(i) are the activations of vector i.
    template <int Vectors, class X> PANALLAMA_INLINE void add_signed(const __m256i *w, X &&x, __m256i scale) {
        const auto products = [&](int i) {
            return _mm256_maddubs_epi16(_mm256_abs_epi8(w[i]), _mm256_sign_epi8(x(i), w[i]));
        };
        static_assert(Vectors <= 2 && Vectors <= codes.chain, "fit 16 bits");
        add_dot_16(sum, Vectors == 2 ? _mm256_add_epi16(products(0), products(1)) : products(0), scale);
    }

    // After a chain of vectors in 16 bits.
    PANALLAMA_INLINE void end_chain(__m256i scale, bool more) {
        if constexpr (in_16_bits) {
            add_dot_16(sum, brief, scale);
            if (more) brief = _mm256_setzero_si256();
        }
    }

    PANALLAMA_INLINE void end_group(const tile_scales &scales, const activation_step &a, int g) {
        if constexpr (small_blocks) {
            const __m256 scale = _mm256_mul_ps(scales.block[g], _mm256_broadcast_ss(a.scale + g));
            total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), scale, total);
        } else if constexpr (has_vnni) {
            total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_castsi256_ps(scales.group[g]), total);
        }
    }

    // `before` plus this step.
    PANALLAMA_INLINE __m256 end_step(const tile_scales &scales, const activation_step &a, __m256 before) {
        if constexpr (small_blocks) return total;
        __m256 part = sums_step ? _mm256_cvtepi32_ps(sum) : total;
        part = _mm256_mul_ps(part, scales.super);
        if constexpr (shape_of(F).mins > 0) {
            __m256i below = _mm256_setzero_si256();
            for (int m = 0; m < shape_of(F).mins / 2; m++) add_dot_16(below, scales.mins[m], two_sums(a.sums + 2 * m));
            part = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(below), scales.min_scale, part);
        }
        return _mm256_fmadd_ps(part, _mm256_broadcast_ss(a.scale), before);
    }
};

// What a group's sums in 16 bits are multiplied by.
template <format F> inline __m256i scale_16(const tile_scales &scales, int g) {
    if constexpr (dot_sum<F>::small_blocks || has_vnni) return _mm256_set1_epi16(1);
    return scales.group[g];
}

// A quad as the unpacker made it, in the form that the dot products take.
template <format F> inline quad as_codes(quad q) {
    constexpr bool from_book = F == format::iq4_nl || F == format::iq4_xs;  // which has them unsigned
    if constexpr (has_vnni && codes_of(F).is_signed && !from_book) {
        for (__m256i &v : q.v) v = _mm256_xor_si256(v, bytes_of(0x80));
    }
    return q;
}

}  // namespace panallama::PANALLAMA_FLAVOUR
