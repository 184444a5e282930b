// Multiplies rows by few columns, as decoding does: a vector holds weights of one row, as they lie in the file.
//
// SHAPES      rows_at_once rows side by side, one to max_row_columns columns, any number of steps
// DEFINITION  out[c][r] = weights of row r * activations of column c
// LAYOUT      the activations are put once into the order in which a format's vectors hold the weights; then no weight
//             crosses lanes. Sums stay apart in their lanes until a row ends.
//
// A column is computed by the same operations, in the same order, whatever columns are computed with it.
#pragma once

#include <algorithm>
#include <cstring>

#include "../kernel.h"
#include "read_ahead.h"
#include "tile.h"

namespace panallama::avx512 {

constexpr int rows_at_once = 4;

// The blocks of one step of each row.
using row_blocks = const uint8_t *[rows_at_once];

// Columns that share what is unpacked: as many as leave registers for it beside their sums.
constexpr int max_row_columns = 4;

// Sums of every column.
template <int Columns, int Vectors> using row_totals = __m512[Columns][Vectors];

// What a format has for rows:
//   struct activations                   one step of a token, reordered
//   static prepare(step, activations *)  reorders it
//   vectors                              of sums: one for each row, or one for all with four lanes each
//   add<Columns>(blocks, a, total)       adds one step of every row; a[c] is that of column c
template <format F> struct row_kernel;

inline __m512i load_64(const void *p) { return _mm512_loadu_si512(p); }

// 64 bytes of a row, which are not aligned: GCC would load them again for every use, each time from two cache lines.
inline __m512i load_row_64(const uint8_t *p) {
    __m512i v = _mm512_loadu_si512(p);
#if defined(__GNUC__)
    __asm__("" : "+v"(v));
#endif
    return v;
}

inline __m512i load_twice_32(const void *p) {
    return _mm512_broadcast_i64x4(_mm256_loadu_si256(static_cast<const __m256i *>(p)));
}

inline __m512i load_four_times_16(const void *p) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i *>(p)));
}

// 16 bytes each of p, p + pitch, p + 2 pitch, p + 3 pitch.
template <int Pitch> inline __m512i load_blocks_16(const uint8_t *p) {
    const auto at = [p](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(p + Pitch * i)); };
    __m512i z = _mm512_inserti32x4(_mm512_castsi128_si512(at(0)), at(1), 1);
    z = _mm512_inserti32x4(z, at(2), 2);
    return _mm512_inserti32x4(z, at(3), 3);
}

inline void store_pair(int8_t *out, const int8_t *low_32, const int8_t *high_32) {
    memcpy(out, low_32, 32);
    memcpy(out + 32, high_32, 32);
}

// -Offset * the sum of each dword's four bytes: where a sum begins whose weights were made unsigned by adding Offset.
template <int Offset> inline __m512i bias_of(const int8_t *q) {
    __m512i sums = _mm512_setzero_si512();
    add_dot(sums, _mm512_set1_epi8(1), load_64(q));
    return _mm512_mullo_epi32(sums, _mm512_set1_epi32(-Offset));
}

// Vectors of one row each become one vector with four lanes for each row.
inline __m512i fold_pairs(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

// The same of four rows, folded as they come, so that few registers hold what is not folded yet.
template <int Columns> struct row_sums {
    __m512i pair[2][Columns];

    template <int Row> PANALLAMA_INLINE void put(int c, __m512i sum) {
        pair[Row / 2][c] = Row % 2 == 0 ? sum : fold_pairs(pair[Row / 2][c], sum);
    }
    __m512i folded(int c) const { return fold_pairs(pair[0][c], pair[1][c]); }
};

inline __m512 fold_pairs(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

inline __m128 row_results(const __m512 (&v)[1]) {
    const __m512 pairs = _mm512_add_ps(v[0], _mm512_permute_ps(v[0], 0xb1));
    const __m512 sums = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0x4e));
    const __m512i first = _mm512_castsi128_si512(_mm_setr_epi32(0, 4, 8, 12));
    return _mm512_castps512_ps128(_mm512_permutexvar_ps(first, sums));
}

inline __m128 row_results(const __m512 (&v)[rows_at_once]) {
    const __m512 folded[1] = {fold_pairs(fold_pairs(v[0], v[1]), fold_pairs(v[2], v[3]))};
    return row_results(folded);
}

// 16 bytes of every row, in the order of the rows.
inline __m512i load_rows_16(const row_blocks &w, int offset) {
    const auto at = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(w[i] + offset)); };
    __m512i z = _mm512_inserti32x4(_mm512_castsi128_si512(at(0)), at(1), 1);
    z = _mm512_inserti32x4(z, at(2), 2);
    return _mm512_inserti32x4(z, at(3), 3);
}

// Two halves of every row: those at even places are the first ones.
inline __m256 load_rows_halves(const row_blocks &w, int offset) {
    const auto at = [&](int i) {
        int32_t v;
        memcpy(&v, w[i] + offset, 4);
        return v;
    };
    return _mm256_cvtph_ps(_mm_setr_epi32(at(0), at(1), at(2), at(3)));
}

// First or second halves in four lanes of each row.
template <int Second> inline __m512 spread_halves(__m256 halves) {
    const __m512i at =
        _mm512_add_epi32(_mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6), _mm512_set1_epi32(Second));
    return _mm512_permutexvar_ps(at, _mm512_castps256_ps512(halves));
}

inline void add_scaled(__m512 &total, __m512i sum, __m512 scale) {
    total = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, total);
}

inline void subtract_scaled(__m512 &total, __m512i sum, __m512 scale) {
    total = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(sum), scale, total);
}

// Steps whose activations are prepared together; longer rows are multiplied in several passes.
constexpr int steps_per_pass = 64;

template <format F> struct row_scratch {
    typename row_kernel<F>::activations steps[steps_per_pass * max_row_columns];
    alignas(64) uint8_t staged[rows_at_once][8 * 34];
};

// Weights are read once, and the third-level cache can do without them. Two cores of a Zen 5 (EPYC) read Q3_K from
// memory at 100 % of the speed of reading alone, at 94 % with _MM_HINT_T0 and at 89 % with _MM_HINT_T1; Q2_K at 103, 91
// and 89 %.
constexpr _mm_hint into = _MM_HINT_NTA;

template <format F, int Columns> __attribute__((flatten)) void multiply_rows(const product &p) {
    using kernel_type = row_kernel<F>;
    const kernel_type kern;
    auto *own = static_cast<row_scratch<F> *>(p.scratch);
    for (int first = 0; first < p.steps; first += steps_per_pass) {
        const int steps = std::min(p.steps - first, steps_per_pass);
        const bool short_step = p.tail_blocks > 0 && first + steps == p.steps;
        for (int s = 0; s < steps; s++) {
            for (int c = 0; c < Columns; c++) {
                kernel_type::prepare(p.activations[(first + s) * p.tokens + p.columns[c].token],
                                     own->steps + s * Columns + c);
            }
        }
        for (int r = 0; r < p.rows; r += rows_at_once) {
            row_blocks block;
            for (int i = 0; i < rows_at_once; i++) {  // past the last row, the last again
                block[i] = p.weights + static_cast<size_t>(std::min(r + i, p.rows - 1)) * p.row_bytes +
                           static_cast<size_t>(first) * step_bytes(F);
            }
            const bool last = r + rows_at_once >= p.rows;
            read_ahead<into> ahead{last && p.next != nullptr ? p.next : block[0] + rows_at_once * p.row_bytes};
            row_totals<Columns, kernel_type::vectors> total;
            for (auto &column : total) {
                for (__m512 &t : column) t = _mm512_setzero_ps();
            }
            for (int s = 0; s < steps - (short_step ? 1 : 0); s++) {
                ahead.advance<rows_at_once * step_bytes(F)>();
                kern.template add<Columns>(block, own->steps + s * Columns, total);
                for (const uint8_t *&b : block) b += step_bytes(F);
            }
            if (short_step) {
                const int bytes = p.tail_blocks * shape_of(F).block_bytes;
                memset(own->staged, 0, sizeof own->staged);
                for (int i = 0; i < rows_at_once; i++) {
                    memcpy(own->staged[i], block[i], static_cast<size_t>(bytes));
                    block[i] = own->staged[i];
                }
                kern.template add<Columns>(block, own->steps + (steps - 1) * Columns, total);
            }
            const auto mask = static_cast<__mmask8>((1u << std::min(p.rows - r, rows_at_once)) - 1);
            for (int c = 0; c < Columns; c++) {
                float *out = p.columns[c].out + p.out_row + r;
                __m128 result = row_results(total[c]);
                if (first > 0) result = _mm_add_ps(result, _mm_maskz_loadu_ps(mask, out));
                _mm_mask_storeu_ps(out, mask, result);
            }
        }
    }
}

// One to max_row_columns columns.
template <format F> void multiply_rows(const product &p) {
    switch (p.n_columns) {
        case 1:
            return multiply_rows<F, 1>(p);
        case 2:
            return multiply_rows<F, 2>(p);
        case 3:
            return multiply_rows<F, 3>(p);
        default:
            static_assert(max_row_columns == 4, "these are all");
            return multiply_rows<F, 4>(p);
    }
}

}  // namespace panallama::avx512
