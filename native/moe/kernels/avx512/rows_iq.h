// Rows of the IQ formats: IQ4_XS, IQ3_XXS, IQ2_XS, IQ2_XXS.
#pragma once

#include "rows.h"
#include "rows_small.h"
#include "unpack_iq.h"

namespace panallama::avx512 {

// As IQ4_NL, but integer scales multiply the sums while they are integers.
template <> struct row_kernel<format::iq4_xs> {
    static constexpr int vectors = 1;

    struct alignas(64) activations {
        nibble_activations ordered;
        float scale;
    };

    const __m512i values = unsigned_book(books.iq4);

    static void prepare(const activation_step &a, activations *out) {
        out->ordered.put<128>(a.q);
        out->scale = a.scale[0];
    }

    // Eight scales of every row: rows 0 and 1, rows 2 and 3.
    static void scales_of(const row_blocks &w, __m512i (&out)[2]) {
        // d, then the high two bits of eight scales, then their low four bits.
        const auto at = [&](int i) {
            int64_t head;
            memcpy(&head, w[i], 8);
            return head;
        };
        const __m256i heads = _mm256_setr_epi64x(at(0), at(1), at(2), at(3));
        const __m256i low = _mm256_multishift_epi64_epi8(_mm256_set1_epi64x(0x3c3834302c282420), heads);
        const __m256i high = _mm256_multishift_epi64_epi8(_mm256_set1_epi64x(0x1a18161412100e0c), heads);
        const __m256i scales = _mm256_sub_epi8(
            _mm256_ternarylogic_epi32(high, _mm256_set1_epi8(0x30), _mm256_and_si256(low, _mm256_set1_epi8(15)), 0xea),
            _mm256_set1_epi8(32));
        out[0] = _mm512_cvtepi8_epi32(_mm256_castsi256_si128(scales));
        out[1] = _mm512_cvtepi8_epi32(_mm256_extracti128_si256(scales, 1));
    }

    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        __m512i scales[2];
        scales_of(w, scales);
        row_sums<Columns> sums;
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            __m512i low[2], high[2], scale[2];
            repeat<2>([&](auto m) PANALLAMA_INLINE {
                const __m512i codes = load_row_64(w[r] + 8 + 64 * m);
                low[m] = _mm512_permutexvar_epi8(codes, values);
                high[m] = _mm512_permutexvar_epi8(_mm512_srli_epi32(codes, 4), values);
                const __m512i block =
                    _mm512_add_epi32(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
                                     _mm512_set1_epi32(8 * (r % 2) + 4 * m));
                scale[m] = _mm512_permutexvar_epi32(block, scales[r / 2]);
            });
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                __m512i sum[2];
                repeat<2>([&](auto m) PANALLAMA_INLINE {
                    sum[m] = a[c].ordered.bias[m];
                    add_dot(sum[m], low[m], load_64(a[c].ordered.low[m]));
                    add_dot(sum[m], high[m], load_64(a[c].ordered.high[m]));
                    sum[m] = _mm512_mullo_epi32(sum[m], scale[m]);
                });
                sums.template put<r>(c, _mm512_add_epi32(sum[0], sum[1]));
            });
        });
        const __m512 d = spread_halves<0>(load_rows_halves(w, 0));
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            add_scaled(total[c][0], sums.folded(c), _mm512_mul_ps(d, _mm512_set1_ps(a[c].scale)));
        });
    }
};

// Grids give magnitudes, eight or four weights for an index. Sums do not run along the weights but across the indices:
// vector j has weight j of every index, so that the bytes of a dword, which vpdpbusd adds up, share a scale.
template <int N> struct alignas(64) grid_activations {
    int8_t q[N][64];
    __m512i bias;
    float scale;

    void finish(float unit) {
        bias = _mm512_setzero_si512();
        for (const auto &v : q) bias = _mm512_add_epi32(bias, bias_of<grid_offset>(v));
        scale = unit;
    }
};

// Puts 64 bytes in another order.
struct byte_order {
    alignas(64) int8_t at[64];

    template <class Source> constexpr explicit byte_order(const Source &source_of) : at() {
        for (int i = 0; i < 64; i++) at[i] = static_cast<int8_t>(source_of(i));
    }

    __m512i operator()(const int8_t *q) const { return _mm512_permutexvar_epi8(_mm512_load_si512(at), load_64(q)); }
};

// Vector j gets lane j of every 64 reordered bytes.
inline void store_transposed(const int8_t *q, const byte_order &order, int8_t (&out)[4][64]) {
    const __m512i a = order(q);
    const __m512i b = order(q + 64);
    const __m512i c = order(q + 128);
    const __m512i d = order(q + 192);
    const __m512i even_ab = _mm512_shuffle_i32x4(a, b, 0x88);  // lanes 0, 2 of a and of b
    const __m512i even_cd = _mm512_shuffle_i32x4(c, d, 0x88);
    const __m512i odd_ab = _mm512_shuffle_i32x4(a, b, 0xdd);
    const __m512i odd_cd = _mm512_shuffle_i32x4(c, d, 0xdd);
    _mm512_store_si512(out[0], _mm512_shuffle_i32x4(even_ab, even_cd, 0x88));
    _mm512_store_si512(out[1], _mm512_shuffle_i32x4(odd_ab, odd_cd, 0x88));
    _mm512_store_si512(out[2], _mm512_shuffle_i32x4(even_ab, even_cd, 0xdd));
    _mm512_store_si512(out[3], _mm512_shuffle_i32x4(odd_ab, odd_cd, 0xdd));
}

// The tables hold magnitudes and an offset: those are negated around it whose bit of `signs` is set.
inline PANALLAMA_INLINE __m512i with_signs(__m512i magnitudes, __m512i signs, __m512i bit) {
    return _mm512_mask_sub_epi8(magnitudes, _mm512_test_epi8_mask(signs, bit), bytes_of(2 * grid_offset), magnitudes);
}

// The weights' sums, from vectors of every index' first weight, second weight, ...
template <int N>
inline PANALLAMA_INLINE __m512i sum_of_grid(const grid_activations<N> &a, const __m512i (&weights)[N]) {
    __m512i sum = a.bias;
    repeat<N>([&](auto j) PANALLAMA_INLINE { add_dot(sum, weights[j], load_64(a.q[j])); });
    return sum;
}

// Magnitude J of four whose 2-bit codes are in every byte. vpermb looks at six bits, which are three codes.
template <int J> inline __m512i iq2_magnitudes(const grid_tables &t, __m512i codes) {
    return J < 3 ? _mm512_permutexvar_epi8(codes, _mm512_load_si512(t.iq2_magnitude[J < 3 ? J : 0]))
                 : _mm512_permutexvar_epi8(_mm512_srli_epi16(codes, 2), _mm512_load_si512(t.iq2_magnitude[2]));
}

// Adds to each column's total its sum, four lanes for each row, times the halves at the rows' beginnings.
template <int Columns, int N, class Sum>
inline PANALLAMA_INLINE void add_rows(const row_blocks &w, const grid_activations<N> *a, row_totals<Columns, 1> &total,
                                      const Sum &sum_of) {
    const __m512 d = spread_halves<0>(load_rows_halves(w, 0));
    repeat<Columns>([&](auto c) PANALLAMA_INLINE {
        add_scaled(total[c][0], sum_of(c), _mm512_mul_ps(d, _mm512_set1_ps(a[c].scale)));
    });
}

// Two rows share vectors: lane b or 8 + b is a block of 32 weights, its bytes the four indices.
template <> struct row_kernel<format::iq2_xxs> {
    static constexpr int vectors = 1;
    using activations = grid_activations<8>;

    const grid_tables &t = grids();

    static void prepare(const activation_step &a, activations *out) {
        // q[j][i] = weight j of index i % 32.
        static constexpr byte_order by_weight([](int i) { return 8 * (i % 8) + i / 8; });
        __m512i part[4];
        for (int i = 0; i < 4; i++) part[i] = by_weight(a.q + 64 * i);
        const __m512i first = _mm512_setr_epi64(0, 8, 0, 8, 0, 8, 0, 8);
        for (int j = 0; j < 8; j++) {
            const __m512i at = _mm512_add_epi64(first, _mm512_set1_epi64(j));
            const __m512i low = _mm512_permutex2var_epi64(part[0], at, part[1]);
            const __m512i high = _mm512_permutex2var_epi64(part[2], at, part[3]);
            _mm512_store_si512(out->q[j], _mm512_mask_mov_epi64(low, 0xcc, high));
        }
        out->finish(a.scale[0] * 0.125f);
    }

    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        __m512i sum[2][Columns];
        repeat<2>([&](auto pair) PANALLAMA_INLINE {
            const __m512i x = load_row_64(w[2 * pair] + 2);
            const __m512i y = load_row_64(w[2 * pair + 1] + 2);
            const __m512i at = _mm512_permutex2var_epi32(x, even, y);
            const __m512i rest = _mm512_permutex2var_epi32(x, odd, y);  // four times seven signs, then a scale
            const __m512i first = look_up_256(t.iq2_xxs[0], at);
            const __m512i second = look_up_256(t.iq2_xxs[1], at);
            const __m512i signs = complete_signs<0>(bit_fields<0, 7>(rest));
            __m512i weights[8];
            repeat<4>([&](auto j) PANALLAMA_INLINE {
                weights[j] = with_signs(iq2_magnitudes<j>(t, first), signs, bytes_of(1 << j));
                weights[4 + j] = with_signs(iq2_magnitudes<j>(t, second), signs, bytes_of(16 << j));
            });
            // Twice the scale plus one.
            const __m512i scale = _mm512_or_si512(_mm512_srli_epi32(rest, 27), _mm512_set1_epi32(1));
            repeat<Columns>(
                [&](auto c) PANALLAMA_INLINE { sum[pair][c] = _mm512_mullo_epi32(sum_of_grid(a[c], weights), scale); });
        });
        add_rows<Columns>(w, a, total, [&](int c) PANALLAMA_INLINE { return fold_pairs(sum[0][c], sum[1][c]); });
    }
};

// A lane is a group of 16 weights: the first and the second four weights of its two indices.
template <> struct row_kernel<format::iq2_xs> {
    static constexpr int vectors = 1;
    using activations = grid_activations<4>;

    const grid_tables &t = grids();

    static void prepare(const activation_step &a, activations *out) {
        // q[j][4 g + i] = weight j, 8 + j, 4 + j or 12 + j of group g.
        static constexpr byte_order by_weight(
            [](int i) { return 16 * (i % 16 / 4) + 8 * (i % 2) + 4 * (i / 2 % 2) + i / 16; });
        store_transposed(a.q, by_weight, out->q);
        out->finish(a.scale[0] * 0.125f);
    }

    // Sixteen 4-bit scales: twice each plus one.
    static __m512i scales_of(const uint8_t *block) {
        int64_t all;
        memcpy(&all, block + 66, 8);
        alignas(64) constexpr int8_t at[64] = {
            -1, 0, 0, 0, 3,  0, 0, 0, 7,  0, 0, 0, 11, 0, 0, 0, 15, 0, 0, 0, 19, 0, 0, 0, 23, 0, 0, 0, 27, 0, 0, 0,
            31, 0, 0, 0, 35, 0, 0, 0, 39, 0, 0, 0, 43, 0, 0, 0, 47, 0, 0, 0, 51, 0, 0, 0, 55, 0, 0, 0, 59, 0, 0, 0};
        return _mm512_ternarylogic_epi32(_mm512_multishift_epi64_epi8(_mm512_load_si512(at), _mm512_set1_epi64(all)),
                                         _mm512_set1_epi32(0x1e), _mm512_set1_epi32(1), 0xea);
    }

    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        // Eight low bytes of words of one row, then of the other, in every 128-bit lane.
        const __m512i even =
            _mm512_set_epi64(0x7e7c7a7876747270, 0x3e3c3a3836343230, 0x6e6c6a6866646260, 0x2e2c2a2826242220,
                             0x5e5c5a5856545250, 0x1e1c1a1816141210, 0x4e4c4a4846444240, 0x0e0c0a0806040200);
        const __m512i odd = _mm512_add_epi8(even, bytes_of(1));
        row_sums<Columns> sums;
        repeat<2>([&](auto pair) PANALLAMA_INLINE {
            const __m512i x = load_row_64(w[2 * pair] + 2);
            const __m512i y = load_row_64(w[2 * pair + 1] + 2);
            const __m512i low = _mm512_permutex2var_epi8(x, even, y);
            const __m512i high = _mm512_permutex2var_epi8(x, odd, y);
            const __mmask64 above = _mm512_test_epi8_mask(high, bytes_of(1));
            const __m512i first = unpacker<format::iq2_xs>::look_up_512(t.iq2_xs[0], low, above);
            const __m512i second = unpacker<format::iq2_xs>::look_up_512(t.iq2_xs[1], low, above);
            const __m512i signs = complete_signs<1>(high);
            const __m512i later_signs = _mm512_srli_epi16(signs, 4);
            const auto add_row = [&](auto i, __m512i codes, __m512i sign) PANALLAMA_INLINE {
                __m512i weights[4];
                repeat<4>([&](auto j) PANALLAMA_INLINE {
                    weights[j] = with_signs(iq2_magnitudes<j>(t, codes), sign, bytes_of(1 << j));
                });
                const __m512i scale = scales_of(w[2 * pair + i]);
                repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                    sums.template put<2 * pair + i>(c, _mm512_mullo_epi32(sum_of_grid(a[c], weights), scale));
                });
            };
            add_row(index<0>{}, _mm512_unpacklo_epi16(first, second), _mm512_unpacklo_epi16(signs, later_signs));
            add_row(index<1>{}, _mm512_unpackhi_epi16(first, second), _mm512_unpackhi_epi16(signs, later_signs));
        });
        add_rows<Columns>(w, a, total, [&](int c) PANALLAMA_INLINE { return sums.folded(c); });
    }
};

// A lane is half a block of 32 weights: four indices of four weights.
template <> struct row_kernel<format::iq3_xxs> {
    static constexpr int vectors = 1;
    using activations = grid_activations<4>;

    const grid_tables &t = grids();

    static void prepare(const activation_step &a, activations *out) {
        // q[j][i] = weight j of index i.
        static constexpr byte_order by_weight([](int i) { return 4 * (i % 16) + i / 16; });
        store_transposed(a.q, by_weight, out->q);
        out->finish(a.scale[0] * 0.25f);
    }

    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        // Seven signs for each two bytes of a block.
        const __m512i sign_at = _mm512_set1_epi64(0x15150e0e07070000);
        row_sums<Columns> sums;
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            const __m512i at = load_row_64(w[r] + 2);
            const __m512i rest =
                _mm512_cvtepu32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(w[r] + 66)));
            const __m512i signs = complete_signs<0>(_mm512_multishift_epi64_epi8(sign_at, rest));
            const __m512i codes[2] = {look_up_256(t.iq3_pair[0], at), look_up_256(t.iq3_pair[1], at)};
            __m512i weights[4];
            repeat<4>([&](auto j) PANALLAMA_INLINE {
                const __m512i magnitudes =
                    _mm512_permutexvar_epi8(codes[j / 2], _mm512_load_si512(t.iq3_magnitude[j % 2]));
                // Even bytes have the first four signs of eight, odd ones the last.
                weights[j] = with_signs(magnitudes, signs, _mm512_set1_epi16(static_cast<int16_t>(0x1001 << j)));
            });
            const __m512i both = _mm512_shuffle_epi32(rest, _MM_PERM_CCAA);
            const __m512i scale = _mm512_or_si512(_mm512_srli_epi32(both, 27), _mm512_set1_epi32(1));
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                sums.template put<r>(c, _mm512_mullo_epi32(sum_of_grid(a[c], weights), scale));
            });
        });
        add_rows<Columns>(w, a, total, [&](int c) PANALLAMA_INLINE { return sums.folded(c); });
    }
};

}  // namespace panallama::avx512
