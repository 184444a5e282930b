// Rows of the K formats: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K.
#pragma once

#include "rows.h"
#include "unpack_k.h"

namespace panallama::avx512 {

// One step of four rows. A vector has 64 weights, so that each of its 128-bit lanes belongs to one group scale. The
// sums of four products fit 16 bits: two vectors of them are packed into one and multiplied by the integer scales.
struct alignas(64) k_activations {
    int8_t q[4][64];
    int16_t sums[16];  // of 16 or of 32 activations
    float scale;
};

// Two groups of 32 weights in a vector: first[v] and second[v] of vector v.
inline void order_k(const activation_step &a, const int (&first)[4], const int (&second)[4], k_activations *out) {
    for (int v = 0; v < 4; v++) store_pair(out->q[v], a.q + 32 * first[v], a.q + 32 * second[v]);
    memcpy(out->sums, a.sums, sizeof out->sums);
    out->scale = a.scale[0];
}

// Where the scales of two vectors lie among the words of the rows: four of each vector's group in every 128-bit lane,
// as packing orders the sums.
struct scale_places {
    alignas(64) int16_t at[32];

    template <class Group> constexpr explicit scale_places(const Group &word_of) : at() {
        for (int i = 0; i < 32; i++) at[i] = static_cast<int16_t>(word_of(i / 4 % 2, i / 8));
    }

    __m512i pick(__m512i words) const { return _mm512_permutexvar_epi16(_mm512_load_si512(at), words); }
};

// 16 bytes of every row as words: rows 0 and 1, rows 2 and 3.
struct row_words {
    __m512i v[2];
};

inline row_words unsigned_words(__m512i bytes) {
    return {{_mm512_cvtepu8_epi16(_mm512_castsi512_si256(bytes)),
             _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(bytes, 1))}};
}

inline row_words signed_words(__m512i bytes) {
    return {{_mm512_cvtepi8_epi16(_mm512_castsi512_si256(bytes)),
             _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(bytes, 1))}};
}

// The sum over one row: codes are four vectors of unsigned weights, scales two vectors of words. begin(v) is where the
// sums of vector v begin.
template <class Begin> inline PANALLAMA_INLINE __m512i sum_of_row(const int8_t (&q)[4][64], const __m512i (&codes)[4],
                                                                  __m512i scales_01, __m512i scales_23,
                                                                  const Begin &begin) {
    __m512i part[4];
    repeat<4>([&](auto v) PANALLAMA_INLINE {
        part[v] = begin(v);
        add_dot(part[v], codes[v], load_64(q[v]));
    });
    __m512i sum = _mm512_setzero_si512();
    add_dot_16(sum, _mm512_packs_epi32(part[0], part[1]), scales_01);
    add_dot_16(sum, _mm512_packs_epi32(part[2], part[3]), scales_23);
    return sum;
}

inline PANALLAMA_INLINE __m512i from_zero(int) { return _mm512_setzero_si512(); }

// Sixteen words of every row times the sums of 16 activations, added up.
inline __m512i dot_of_sums(const row_words &words, const k_activations &a) {
    const __m512i sums = load_twice_32(a.sums);
    __m512i dot[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (int i = 0; i < 2; i++) add_dot_16(dot[i], words.v[i], sums);
    return fold_pairs(dot[0], dot[1]);
}

// Q2_K and Q3_K: vector k has bits 2 k and 2 k + 1 of 64 bytes, which are the groups of 16 weights 2 k, 2 k + 1,
// 8 + 2 k, 9 + 2 k. The bits stay where they are, but for the highest: vectors 1, 2 and 3 hold 4, 16 and 16 times their
// weights. Scales times 16, 4, 1 and 1 make up for it, and a factor of 1/16 for everything.
constexpr float two_bit_unit = 1 / 16.0f;

inline row_words two_bit_scale_words(row_words scales) {
    const __m512i shift = _mm512_broadcast_i32x4(_mm_setr_epi16(4, 4, 2, 2, 0, 0, 0, 0));
    return {{_mm512_sllv_epi16(scales.v[0], shift), _mm512_sllv_epi16(scales.v[1], shift)}};
}

template <int Row, int Half> inline __m512i two_bit_scales(const row_words &words) {
    static constexpr scale_places places(
        [](int vector, int lane) { return 16 * (Row % 2) + 8 * (lane / 2) + 2 * (2 * Half + vector) + lane % 2; });
    return places.pick(words.v[Row / 2]);
}

template <> struct row_kernel<format::q2_k> {
    static constexpr int vectors = 1;
    using activations = k_activations;

    static void prepare(const activation_step &a, activations *out) { order_k(a, {0, 1, 2, 3}, {4, 5, 6, 7}, out); }

    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        const __m512i both = load_rows_16(w, 0);
        const row_words scales = two_bit_scale_words(unsigned_words(and_bytes(both, 15)));
        row_sums<Columns> sums;
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            const __m512i bits = load_row_64(w[r] + 16);
            const __m512i codes[4] = {and_bytes(bits, 0x03), and_bytes(bits, 0x0c), and_bytes(bits, 0x30),
                                      and_bytes(_mm512_srli_epi16(bits, 2), 0x30)};
            const __m512i scales_01 = two_bit_scales<r, 0>(scales);
            const __m512i scales_23 = two_bit_scales<r, 1>(scales);
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                sums.template put<r>(c, sum_of_row(a[c].q, codes, scales_01, scales_23, from_zero));
            });
        });
        const row_words mins = unsigned_words(and_bytes(_mm512_srli_epi16(both, 4), 15));
        const __m256 halves = load_rows_halves(w, 80);
        const __m512 d = _mm512_mul_ps(spread_halves<0>(halves), _mm512_set1_ps(two_bit_unit));
        const __m512 d_min = spread_halves<1>(halves);
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            const __m512 scale = _mm512_set1_ps(a[c].scale);
            add_scaled(total[c][0], sums.folded(c), _mm512_mul_ps(d, scale));
            subtract_scaled(total[c][0], dot_of_sums(mins, a[c]), _mm512_mul_ps(d_min, scale));
        });
    }
};

template <> struct row_kernel<format::q3_k> {
    static constexpr int vectors = 1;

    struct alignas(64) activations {
        int8_t q[4][64];
        __m512i bias[4];
        float scale;
    };

    static void prepare(const activation_step &a, activations *out) {
        k_activations ordered;
        order_k(a, {0, 1, 2, 3}, {4, 5, 6, 7}, &ordered);
        memcpy(out->q, ordered.q, sizeof out->q);
        for (int k = 0; k < 4; k++) {
            out->bias[k] = _mm512_slli_epi32(bias_of<4>(out->q[k]), k < 2 ? 2 * k : 4);
        }
        out->scale = a.scale[0] * two_bit_unit;
    }

    // Twelve bytes hold the low four bits of the scales 0..7 and 8..15, then the high two bits of every fourth scale.
    static row_words scales_of(const row_blocks &w) {
        const __m512i end = load_rows_16(w, 94);  // two other bytes, the twelve, d
        const __m512i low_at = _mm512_broadcast_i32x4(_mm_setr_epi8(2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9));
        const __m512i high_at =
            _mm512_broadcast_i32x4(_mm_setr_epi8(10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13));
        const __m512i low =
            _mm512_srlv_epi64(_mm512_shuffle_epi8(end, low_at), _mm512_setr_epi64(0, 4, 0, 4, 0, 4, 0, 4));
        const __m512i high =
            _mm512_rolv_epi32(_mm512_shuffle_epi8(end, high_at), _mm512_broadcast_i32x4(_mm_setr_epi32(4, 2, 0, 30)));
        return signed_words(_mm512_sub_epi8(and_or(high, bytes_of(0x30), and_bytes(low, 15)), bytes_of(32)));
    }

    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        const row_words scales = two_bit_scale_words(scales_of(w));
        const __m512i half_step = _mm512_setr_epi32(2, 2, 2, 2, 2, 2, 2, 2, 30, 30, 30, 30, 30, 30, 30, 30);
        row_sums<Columns> sums;
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            // Bit 2 + k of every byte of `high` belongs to vector k. Codes without the bit are four less.
            const __m512i high = _mm512_rolv_epi32(load_twice_32(w[r]), half_step);
            const __m512i higher = _mm512_slli_epi16(high, 1);
            const __m512i bits = load_row_64(w[r] + 32);
            const __m512i codes[4] = {
                and_or(high, bytes_of(0x04), and_bytes(bits, 0x03)),
                and_or(higher, bytes_of(0x10), and_bytes(bits, 0x0c)),
                and_or(_mm512_slli_epi16(high, 2), bytes_of(0x40), and_bytes(bits, 0x30)),
                and_or(higher, bytes_of(0x40), and_bytes(_mm512_srli_epi16(bits, 2), 0x30)),
            };
            const __m512i scales_01 = two_bit_scales<r, 0>(scales);
            const __m512i scales_23 = two_bit_scales<r, 1>(scales);
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                const auto bias = [&](auto v) PANALLAMA_INLINE { return a[c].bias[v]; };
                sums.template put<r>(c, sum_of_row(a[c].q, codes, scales_01, scales_23, bias));
            });
        });
        const __m512 d = spread_halves<1>(load_rows_halves(w, 106));
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            add_scaled(total[c][0], sums.folded(c), _mm512_mul_ps(d, _mm512_set1_ps(a[c].scale)));
        });
    }
};

// Q4_K and Q5_K: vector 2 c has the low, 2 c + 1 the high nibbles of 64 bytes: groups of 32 weights 4 c, 4 c + 2 and
// 4 c + 1, 4 c + 3.
struct k4_rows {
    static constexpr int vectors = 1;
    using activations = k_activations;

    static void prepare(const activation_step &a, activations *out) { order_k(a, {0, 1, 4, 5}, {2, 3, 6, 7}, out); }

    template <int Row, int Half> static __m512i scales_at(__m512i words) {
        static constexpr scale_places places(
            [](int vector, int lane) { return 8 * Row + 4 * Half + 2 * (lane / 2) + vector; });
        return places.pick(words);
    }

    // codes_of(block, codes) makes the four vectors of a row.
    template <int Columns, class Codes> static void add_k4(const row_blocks &w, const activations *a,
                                                           row_totals<Columns, 1> &total, const Codes &codes_of) {
        // Dwords: d and dmin; low six bits of scales, of minimums; four more bits of both, whose top two lie in those.
        const __m512i head = load_rows_16(w, 0);
        const __m512i low = _mm512_srlv_epi32(_mm512_shuffle_epi32(head, _MM_PERM_DCDB),
                                              _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0, 0, 4)));
        const __m512i high = _mm512_srli_epi32(_mm512_shuffle_epi32(head, _MM_PERM_CCBB), 2);
        const __m512i low_mask = _mm512_broadcast_i32x4(_mm_setr_epi32(0x3f3f3f3f, 0x0f0f0f0f, 0x3f3f3f3f, 0x0f0f0f0f));
        const __m512i high_mask = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0x30303030, 0, 0x30303030));
        const __m512i both = and_or(high, high_mask, _mm512_and_si512(low, low_mask));
        const __m512i scales = _mm512_unpacklo_epi8(both, _mm512_setzero_si512());
        const __m512i mins = _mm512_unpackhi_epi8(both, _mm512_setzero_si512());
        row_sums<Columns> sums;
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            __m512i codes[4];
            codes_of(w[r], codes);
            const __m512i scales_01 = scales_at<r, 0>(scales);
            const __m512i scales_23 = scales_at<r, 1>(scales);
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                sums.template put<r>(c, sum_of_row(a[c].q, codes, scales_01, scales_23, from_zero));
            });
        });
        const __m256 halves = load_rows_halves(w, 0);
        const __m512 d = spread_halves<0>(halves);
        const __m512 d_min = spread_halves<1>(halves);
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            const __m512 scale = _mm512_set1_ps(a[c].scale);
            __m512i below = _mm512_setzero_si512();
            add_dot_16(below, mins, load_four_times_16(a[c].sums));
            add_scaled(total[c][0], sums.folded(c), _mm512_mul_ps(d, scale));
            subtract_scaled(total[c][0], below, _mm512_mul_ps(d_min, scale));
        });
    }
};

template <> struct row_kernel<format::q4_k> : k4_rows {
    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        add_k4<Columns>(w, a, total, [](const uint8_t *block, __m512i(&codes)[4]) PANALLAMA_INLINE {
            for (int c = 0; c < 2; c++) {
                const __m512i bytes = load_row_64(block + 16 + 64 * c);
                codes[2 * c] = and_bytes(bytes, 15);
                codes[2 * c + 1] = and_bytes(_mm512_srli_epi16(bytes, 4), 15);
            }
        });
    }
};

template <> struct row_kernel<format::q5_k> : k4_rows {
    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        add_k4<Columns>(w, a, total, [](const uint8_t *block, __m512i(&codes)[4]) PANALLAMA_INLINE {
            // Bit g of 32 bytes belongs to group g; in the upper half, to group g - 2.
            const __m512i high = _mm512_srlv_epi32(load_twice_32(block + 16),
                                                   _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2));
            const __m512i sixteen = bytes_of(16);
            const __m512i first = load_row_64(block + 48);
            const __m512i second = load_row_64(block + 112);
            codes[0] = and_or(_mm512_slli_epi16(high, 4), sixteen, and_bytes(first, 15));
            codes[1] = and_or(_mm512_slli_epi16(high, 3), sixteen, and_bytes(_mm512_srli_epi16(first, 4), 15));
            codes[2] = and_or(high, sixteen, and_bytes(second, 15));
            codes[3] = and_or(_mm512_srli_epi16(high, 1), sixteen, and_bytes(_mm512_srli_epi16(second, 4), 15));
        });
    }
};

// Vectors in the order of the weights: half n of the step has its first 64 weights in low nibbles of 64 bytes, the
// others in the high ones. Codes are 32 more than the weights: scales times sums of activations make up for it.
template <> struct row_kernel<format::q6_k> {
    static constexpr int vectors = 1;
    using activations = k_activations;

    static void prepare(const activation_step &a, activations *out) {
        order_k(a, {0, 2, 4, 6}, {1, 3, 5, 7}, out);
        const __m512i sums = _mm512_srai_epi32(_mm512_load_si512(a.bias), 5);  // negative: the bias is -32 times them
        _mm256_store_si256(reinterpret_cast<__m256i *>(out->sums), _mm512_cvtepi32_epi16(sums));
    }

    template <int Row, int Half> static __m512i scales_at(const row_words &words) {
        static constexpr scale_places places(
            [](int vector, int lane) { return 16 * (Row % 2) + 4 * (2 * Half + vector) + lane; });
        return places.pick(words.v[Row / 2]);
    }

    template <int Columns> void add(const row_blocks &w, const activations *a, row_totals<Columns, 1> &total) const {
        const row_words scales = signed_words(load_rows_16(w, 192));
        const __m512i half_64 = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2);
        row_sums<Columns> sums;
        repeat<rows_at_once>([&](auto r) PANALLAMA_INLINE {
            const __m512i two = bytes_of(0x30);
            __m512i codes[4];
            for (int n = 0; n < 2; n++) {
                const __m512i low = load_row_64(w[r] + 64 * n);
                const __m512i high = _mm512_srlv_epi32(load_twice_32(w[r] + 128 + 32 * n), half_64);
                codes[2 * n] = and_or(_mm512_slli_epi16(high, 4), two, and_bytes(low, 15));
                codes[2 * n + 1] = and_or(high, two, and_bytes(_mm512_srli_epi16(low, 4), 15));
            }
            const __m512i scales_01 = scales_at<r, 0>(scales);
            const __m512i scales_23 = scales_at<r, 1>(scales);
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                sums.template put<r>(c, sum_of_row(a[c].q, codes, scales_01, scales_23, from_zero));
            });
        });
        const __m512 d = spread_halves<1>(load_rows_halves(w, 206));
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            const __m512i offset = _mm512_slli_epi32(dot_of_sums(scales, a[c]), 5);
            add_scaled(total[c][0], _mm512_add_epi32(sums.folded(c), offset),
                       _mm512_mul_ps(d, _mm512_set1_ps(a[c].scale)));
        });
    }
};

}  // namespace panallama::avx512
