// Codes of 8 bits with a sign, which AVX2 cannot multiply: panels of these formats hold 16-bit codes instead, times the
// group's scale where that is an integer, and activations are widened once for each step of a panel.
//
// DEFINITION  sums[column][row] += weights * activations of one step, as in panel.h
// LAYOUT      vector 2 v of a tile holds bytes 0 and 2 of every dword of vector v (tile.h) as a pair of int16, vector
//             2 v + 1 bytes 1 and 3; activations likewise
#pragma once

#include "dot.h"

namespace panallama::PANALLAMA_FLAVOUR {

// Per 32 products, vpsignb, vpmaddubsw, vpmaddwd and vpaddd take as long as twice vpmaddwd and vpaddd (Zen 5: 1.18 and
// 1.14 cycles), but need the weights twice and so more registers than there are: 18 against 24 products a cycle.
constexpr bool has_wide_panel(format f) {
    return !has_vnni && (f == format::q8_0 || f == format::iq4_nl || f == format::iq4_xs);
}

inline __m256i even_bytes(__m256i v) { return _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8); }

inline __m256i odd_bytes(__m256i v) { return _mm256_srai_epi16(v, 8); }

struct alignas(32) wide_activations {
    int16_t pairs[2 * step];  // per 32 values, eight even and eight odd pairs: 16 dwords

    void widen(const activation_step &a) {
        auto *out = reinterpret_cast<__m256i *>(pairs);
        for (int i = 0; i < 8; i++) {
            const __m256i q = _mm256_load_si256(reinterpret_cast<const __m256i *>(a.q + 32 * i));
            _mm256_store_si256(out + 2 * i, even_bytes(q));
            _mm256_store_si256(out + 2 * i + 1, odd_bytes(q));
        }
    }
};

// sum += products of two int16 each, per dword. As assembly for the reason that add_brief is.
inline PANALLAMA_INLINE void add_wide(__m256i &sum, __m256i w, __m256i x) {
#ifdef __GNUC__
    __m256i products;
    __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(w), "x"(x));
#else
    add_dot_16(sum, w, x);
#endif
}

template <format F, int Columns>
inline PANALLAMA_INLINE void multiply_wide_step(const __m256i *const (&weights)[2], const tile_scales *scales,
                                                const activation_step *const *a, const wide_activations *x,
                                                float *const *sums) {
    constexpr bool small_blocks = shape_of(F).scale_per_32;
    __m256i s[2][Columns];
    const auto each_sum = [](auto &&f) PANALLAMA_INLINE {
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            f(index<0>{}, c);
            f(index<1>{}, c);
        });
    };
    const auto add_to = [&](auto t, auto c, __m256 scale) PANALLAMA_INLINE {
        float *out = sums[c] + tile_rows * t;
        _mm256_store_ps(out, _mm256_fmadd_ps(_mm256_cvtepi32_ps(s[t][c]), scale, _mm256_load_ps(out)));
    };
    each_sum([&](auto t, auto c) PANALLAMA_INLINE { s[t][c] = _mm256_setzero_si256(); });
#pragma GCC unroll 1
    for (int g = 0; g < 8; g++) {
        repeat<16>([&](auto v) PANALLAMA_INLINE {
            const __m256i w0 = weights[0][16 * g + v];
            const __m256i w1 = weights[1][16 * g + v];
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                constexpr int at = 8 * (v % 2) + v / 2;  // of the 16 dwords
                const __m256i both = two_sums(x[c].pairs + 32 * g + 2 * at);
                add_wide(s[0][c], w0, both);
                add_wide(s[1][c], w1, both);
            });
        });
        if constexpr (small_blocks) {
            each_sum([&](auto t, auto c) PANALLAMA_INLINE {
                add_to(t, c, _mm256_mul_ps(scales[t].block[g], _mm256_broadcast_ss(a[c]->scale + g)));
                s[t][c] = _mm256_setzero_si256();
            });
        }
    }
    if constexpr (!small_blocks) {
        each_sum([&](auto t, auto c) PANALLAMA_INLINE {
            add_to(t, c, _mm256_mul_ps(scales[t].super, _mm256_broadcast_ss(a[c]->scale)));
        });
    }
}

}  // namespace panallama::PANALLAMA_FLAVOUR
