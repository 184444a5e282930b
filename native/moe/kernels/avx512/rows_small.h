// Rows of the formats with 32-weight blocks: Q8_0, Q4_0, Q5_0, IQ4_NL, MXFP4.
#pragma once

#include "rows.h"
#include "unpack_small.h"

namespace panallama::avx512 {

// s[Lanes * i] .. s[Lanes * i + Lanes - 1] of eight scales, each in 16 / Lanes lanes.
template <int I, int Lanes> inline __m512 spread_scales(__m256 s) {
    constexpr int each = 16 / Lanes;
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_add_epi32(_mm512_srli_epi32(lane, each == 8 ? 3 : 2), _mm512_set1_epi32(Lanes * I));
    return _mm512_permutexvar_ps(at, _mm512_castps256_ps512(s));
}

template <> struct row_kernel<format::q8_0> {
    static constexpr int vectors = rows_at_once;

    struct alignas(64) activations {
        int8_t q[4][64];
        __m512i bias[4];
        float scale[8];
    };

    static void prepare(const activation_step &a, activations *out) {
        for (int m = 0; m < 4; m++) {
            memcpy(out->q[m], a.q + 64 * m, 64);
            out->bias[m] = bias_of<128>(out->q[m]);
        }
        memcpy(out->scale, a.scale, sizeof out->scale);
    }

    template <int Columns>
    void add(const row_blocks &w, const activations *a, row_totals<Columns, vectors> &total) const {
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            const __m256 d = _mm256_cvtph_ps(block_halves<34>(w[r]));
            __m256 scale[Columns];
            repeat<Columns>([&](auto c) PANALLAMA_INLINE { scale[c] = _mm256_mul_ps(d, _mm256_load_ps(a[c].scale)); });
            repeat<4>([&](auto m) PANALLAMA_INLINE {
                const auto at = [&](int b) {
                    return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(w[r] + 34 * b + 2));
                };
                const __m512i v = _mm512_inserti64x4(_mm512_castsi256_si512(at(2 * m)), at(2 * m + 1), 1);
                const __m512i codes = _mm512_xor_si512(v, bytes_of(0x80));
                repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                    __m512i sum = a[c].bias[m];
                    add_dot(sum, codes, load_64(a[c].q[m]));
                    add_scaled(total[c][r], sum, spread_scales<m, 2>(scale[c]));
                });
            });
        });
    }
};

// Four blocks of 16 bytes in a vector: their low nibbles are the first 16 weights of each, their high nibbles the rest.
struct nibble_activations {
    int8_t low[2][64];
    int8_t high[2][64];
    __m512i bias[2];

    template <int Offset> void put(const int8_t *q) {
        for (int b = 0; b < 8; b++) {
            memcpy(low[b / 4] + 16 * (b % 4), q + 32 * b, 16);
            memcpy(high[b / 4] + 16 * (b % 4), q + 32 * b + 16, 16);
        }
        for (int m = 0; m < 2; m++) bias[m] = _mm512_add_epi32(bias_of<Offset>(low[m]), bias_of<Offset>(high[m]));
    }
};

template <int Offset> struct nibble_rows {
    static constexpr int vectors = rows_at_once;

    struct alignas(64) activations {
        nibble_activations ordered;
        float scale[8];
    };

    static void prepare(const activation_step &a, activations *out) {
        out->ordered.template put<Offset>(a.q);
        memcpy(out->scale, a.scale, sizeof out->scale);
    }

    // unpack(block, index<m>, low, high) makes the unsigned weights of blocks 4 m to 4 m + 3, scales(block) the scales.
    template <int Columns, class Unpack, class Scales>
    static void add_nibbles(const row_blocks &w, const activations *a, row_totals<Columns, vectors> &total,
                            const Unpack &unpack, const Scales &scales) {
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            const __m256 d = scales(w[r]);
            __m256 scale[Columns];
            repeat<Columns>([&](auto c) PANALLAMA_INLINE { scale[c] = _mm256_mul_ps(d, _mm256_load_ps(a[c].scale)); });
            repeat<2>([&](auto m) PANALLAMA_INLINE {
                __m512i low, high;
                unpack(w[r], m, low, high);
                repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                    __m512i sum = a[c].ordered.bias[m];
                    add_dot(sum, low, load_64(a[c].ordered.low[m]));
                    add_dot(sum, high, load_64(a[c].ordered.high[m]));
                    add_scaled(total[c][r], sum, spread_scales<m, 4>(scale[c]));
                });
            });
        });
    }
};

template <> struct row_kernel<format::q4_0> : nibble_rows<8> {
    template <int Columns>
    void add(const row_blocks &w, const activations *a, row_totals<Columns, vectors> &total) const {
        add_nibbles<Columns>(
            w, a, total,
            [](const uint8_t *block, auto m, __m512i &low, __m512i &high) PANALLAMA_INLINE {
                const __m512i codes = load_blocks_16<18>(block + 72 * m + 2);
                low = and_bytes(codes, 15);
                high = and_bytes(_mm512_srli_epi32(codes, 4), 15);
            },
            [](const uint8_t *block) PANALLAMA_INLINE { return _mm256_cvtph_ps(block_halves<18>(block)); });
    }
};

template <> struct row_kernel<format::q5_0> : nibble_rows<16> {
    template <int Columns>
    void add(const row_blocks &w, const activations *a, row_totals<Columns, vectors> &total) const {
        add_nibbles<Columns>(
            w, a, total,
            [](const uint8_t *block, auto m, __m512i &low, __m512i &high) PANALLAMA_INLINE {
                const uint8_t *at = block + 88 * m + 2;
                const __m512i codes = load_blocks_16<22>(at + 4);
                // Each block's 32 high bits precede its codes. Bytes 0 and 1 of them belong to the low nibbles.
                const __m512i bits = load_blocks_16<22>(at);
                const __m512i first =
                    _mm512_broadcast_i32x4(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
                const __m512i bit = _mm512_set1_epi64(static_cast<int64_t>(0x8040201008040201u));
                const __m512i sixteen = bytes_of(16);
                const __mmask64 low_bits = _mm512_test_epi8_mask(_mm512_shuffle_epi8(bits, first), bit);
                const __mmask64 high_bits =
                    _mm512_test_epi8_mask(_mm512_shuffle_epi8(bits, _mm512_add_epi8(first, bytes_of(2))), bit);
                low = and_bytes(codes, 15);
                high = and_bytes(_mm512_srli_epi32(codes, 4), 15);
                low = _mm512_mask_add_epi8(low, low_bits, low, sixteen);
                high = _mm512_mask_add_epi8(high, high_bits, high, sixteen);
            },
            [](const uint8_t *block) PANALLAMA_INLINE { return _mm256_cvtph_ps(block_halves<22>(block)); });
    }
};

inline __m512i unsigned_book(const int8_t (&values)[16]) {
    return _mm512_xor_si512(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i *>(values))),
                            bytes_of(0x80));
}

// Codes that stand for the 16 values of a codebook, the first at byte First of a step; vpermb looks at six bits, so the
// table repeats and needs no mask.
template <int Pitch, int First> struct book_rows : nibble_rows<128> {
    __m512i table;

    explicit book_rows(const int8_t (&values)[16]) : table(unsigned_book(values)) {}

    template <int Columns, class Scales> void add_codes(const row_blocks &w, const activations *a,
                                                        row_totals<Columns, vectors> &total,
                                                        const Scales &scales) const {
        const __m512i values = table;
        add_nibbles<Columns>(
            w, a, total,
            [values](const uint8_t *block, auto m, __m512i &low, __m512i &high) PANALLAMA_INLINE {
                const __m512i codes = load_blocks_16<Pitch>(block + First + 4 * Pitch * m);
                low = _mm512_permutexvar_epi8(codes, values);
                high = _mm512_permutexvar_epi8(_mm512_srli_epi32(codes, 4), values);
            },
            scales);
    }
};

template <> struct row_kernel<format::iq4_nl> : book_rows<18, 2> {
    row_kernel() : book_rows(books.iq4) {}

    template <int Columns>
    void add(const row_blocks &w, const activations *a, row_totals<Columns, vectors> &total) const {
        add_codes<Columns>(w, a, total, [](const uint8_t *block) PANALLAMA_INLINE {
            return _mm256_cvtph_ps(block_halves<18>(block));
        });
    }
};

template <> struct row_kernel<format::mxfp4> : book_rows<17, 1> {
    row_kernel() : book_rows(books.mxfp4) {}

    template <int Columns>
    void add(const row_blocks &w, const activations *a, row_totals<Columns, vectors> &total) const {
        add_codes<Columns>(w, a, total, [](const uint8_t *block) PANALLAMA_INLINE {
            return _mm512_castps512_ps256(exponent_scales(_mm512_cvtepu8_epi32(block_exponents(block))));
        });
    }
};

}  // namespace panallama::avx512
