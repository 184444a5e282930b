// The innermost loop of a panel, which the two flavours do differently.
//
// SHAPES      four rows (a tile) and up to four columns, one group of a step
// DEFINITION  sum[column] lane r = sum over the group of weights of row r * activations of the column
// LAYOUT      A tile has a vector per four weights of its rows.
//             dotprod: dword r of vector j holds the weights 4 j .. 4 j + 3 of row r.
//             i8mm:    half h of vector 2 j + p holds the weights 8 j .. 8 j + 7 of row 2 p + h.
#pragma once

#include "../kernel.h"
#include "row.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

constexpr int tile_rows = 4;
constexpr int tile_bytes = tile_rows * step;

#ifdef __ARM_FEATURE_MATMUL_INT8

// Stores quad I of a row at its places in the tile.
template <int I> inline void place(int8_t *tile, int row, int8x16_t w) {
    int8_t *at = tile + 64 * I + 16 * (row / 2) + 8 * (row % 2);
    vst1_s8(at, vget_low_s8(w));
    vst1_s8(at + 32, vget_high_s8(w));
}

// Columns are multiplied in pairs; an odd one is paired with itself.
template <int Tiles, int Quads, int Columns>
inline __attribute__((always_inline)) void add_up(const int8_t *const (&tiles)[Tiles],
                                                  const int8_t *const (&activations)[Columns], int first_quad,
                                                  int32x4_t (&sum)[Tiles][Columns]) {
    constexpr int pairs = (Columns + 1) / 2;
    int32x4_t product[Tiles][2][pairs];  // rows 2 p, 2 p + 1 times columns 2 c, 2 c + 1, row by row
    for (int t = 0; t < Tiles; t++) {
        for (int c = 0; c < pairs; c++) product[t][0][c] = product[t][1][c] = vdupq_n_s32(0);
    }
#pragma GCC unroll 2
    for (int i = first_quad; i < first_quad + Quads; i++) {
        int64x2_t low[pairs];
        int64x2_t high[pairs];
        for (int c = 0; c < pairs; c++) {
            const int odd = 2 * c + 1 < Columns ? 2 * c + 1 : 2 * c;
            const int64x2_t a = vreinterpretq_s64_s8(vld1q_s8(activations[2 * c] + 16 * i));
            const int64x2_t b = vreinterpretq_s64_s8(vld1q_s8(activations[odd] + 16 * i));
            low[c] = vzip1q_s64(a, b);
            high[c] = vzip2q_s64(a, b);
        }
        for (int t = 0; t < Tiles; t++) {
            for (int p = 0; p < 2; p++) {
                const int8x16_t w0 = vld1q_s8(tiles[t] + 64 * i + 16 * p);
                const int8x16_t w1 = vld1q_s8(tiles[t] + 64 * i + 32 + 16 * p);
                for (int c = 0; c < pairs; c++) {
                    int32x4_t &s = product[t][p][c];
                    s = vmmlaq_s32(s, w0, vreinterpretq_s8_s64(low[c]));
                    s = vmmlaq_s32(s, w1, vreinterpretq_s8_s64(high[c]));
                }
            }
        }
    }
    for (int t = 0; t < Tiles; t++) {
        for (int c = 0; c < pairs; c++) {
            sum[t][2 * c] = vuzp1q_s32(product[t][0][c], product[t][1][c]);
            if (2 * c + 1 < Columns) sum[t][2 * c + 1] = vuzp2q_s32(product[t][0][c], product[t][1][c]);
        }
    }
}

#else

template <int I> inline void place(int8_t *tile, int row, int8x16_t w) {
    const int32x4_t v = vreinterpretq_s32_s8(w);
    repeat<4>([&](auto j) {
        const int32_t four = vgetq_lane_s32(v, j);
        memcpy(tile + 64 * I + 16 * j + 4 * row, &four, 4);
    });
}

template <int Tiles, int Quads, int Columns>
inline __attribute__((always_inline)) void add_up(const int8_t *const (&tiles)[Tiles],
                                                  const int8_t *const (&activations)[Columns], int first_quad,
                                                  int32x4_t (&sum)[Tiles][Columns]) {
    for (int t = 0; t < Tiles; t++) {
        for (int c = 0; c < Columns; c++) sum[t][c] = vdupq_n_s32(0);
    }
#pragma GCC unroll 2
    for (int i = first_quad; i < first_quad + Quads; i++) {
        int8x16_t x[Columns];
        for (int c = 0; c < Columns; c++) x[c] = vld1q_s8(activations[c] + 16 * i);
        repeat<4>([&](auto j) {
            for (int t = 0; t < Tiles; t++) {
                const int8x16_t w = vld1q_s8(tiles[t] + 64 * i + 16 * j);
                for (int c = 0; c < Columns; c++) sum[t][c] = vdotq_laneq_s32(sum[t][c], w, x[c], j);
            }
        });
    }
}

#endif

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
