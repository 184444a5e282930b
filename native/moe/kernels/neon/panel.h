// Multiplies 16 rows by many columns: unpacks one step of the rows into a panel, then uses it for every column.
//
// SHAPES      16 rows (four tiles), any number of columns, one step
// DEFINITION  sums[column][row] += weights * activations
// LAYOUT      tiles as in integer_sums.h; lane r of every scale and minimum belongs to row r; sums: [column][16] floats
#pragma once

#include "integer_sums.h"
#include "stream.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

constexpr int panel_tiles = 4;
constexpr int panel_rows = panel_tiles * tile_rows;

struct alignas(64) tile {
    int8_t weights[tile_bytes];
    float32x4_t block_scale[8];  // formats with 32-weight blocks, or:
    int32x4_t group_scale[16];   // integer scales of the groups,
    float32x4_t scale;           // and the step's own
    int16x4_t mins[16];
    float32x4_t min_scale;
};

template <format F> inline void unpack_scales(const uint8_t *const (&row)[tile_rows], tile *out) {
    constexpr format_shape shape = shape_of(F);
    using from = unpacker<F>;
    if constexpr (shape.scale_per_32) {
        float32x4x4_t first;
        float32x4x4_t second;
        for (int r = 0; r < tile_rows; r++) {
            const block_floats b = from::block_scales(row[r]);
            first.val[r] = b.val[0];
            second.val[r] = b.val[1];
        }
        float by_block[8][tile_rows];
        vst4q_f32(by_block[0], first);
        vst4q_f32(by_block[4], second);
        for (int g = 0; g < 8; g++) out->block_scale[g] = vld1q_f32(by_block[g]);
    } else {
        const float32x4_t scale = {from::scale(row[0]), from::scale(row[1]), from::scale(row[2]), from::scale(row[3])};
        out->scale = scale;
        if constexpr (shape.group < step) {
            int8x16x4_t scales;
            for (int r = 0; r < tile_rows; r++) scales.val[r] = from::group_scales(row[r]);
            int8_t by_group[16 * tile_rows];
            vst4q_s8(by_group, scales);
            for (int i = 0; i < step / shape.group / 4; i++) {
                int32x4_t four[4];
                widen(vld1q_s8(by_group + 16 * i), four);
                for (int j = 0; j < 4; j++) out->group_scale[4 * i + j] = four[j];
            }
        }
    }
    if constexpr (shape.mins > 0) {
        const float32x4_t scale = {from::min_scale(row[0]), from::min_scale(row[1]), from::min_scale(row[2]),
                                   from::min_scale(row[3])};
        out->min_scale = scale;
        uint8x16x4_t mins;
        for (int r = 0; r < tile_rows; r++) mins.val[r] = from::mins(row[r]);
        uint8_t by_min[16 * tile_rows];
        vst4q_u8(by_min, mins);
        for (int m = 0; m < shape.mins; m += 2) {
            const int16x8_t two = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(by_min + 4 * m)));
            out->mins[m] = vget_low_s16(two);
            out->mins[m + 1] = vget_high_s16(two);
        }
    }
}

template <format F> __attribute__((noinline, flatten)) void unpack_tile(const unpacker<F> &unpack,
                                                                        const uint8_t *const (&row)[tile_rows],
                                                                        tile *out) {
    unpack_scales<F>(row, out);
    for (int r = 0; r < tile_rows; r++) {
        unpack.weights(row[r], [&](auto i, int8x16_t w) { place<i>(out->weights, r, w); });
    }
}

// Of the 32 vector registers, two tiles by four columns take eight for integer sums and eight for totals. Reasoned, not
// measured.
constexpr int max_columns = 4;

template <format F, int Columns> inline void multiply_two_tiles(const tile *two,
                                                                const activation_step *const (&a)[Columns],
                                                                float *const (&sums)[Columns]) {
    constexpr format_shape shape = shape_of(F);
    constexpr int groups = step / shape.group;
    const int8_t *const weights[2] = {two[0].weights, two[1].weights};
    const int8_t *activations[Columns];
    for (int c = 0; c < Columns; c++) activations[c] = a[c]->q;
    float32x4_t total[2][Columns];
    int32x4_t whole[2][Columns];
    for (int t = 0; t < 2; t++) {
        for (int c = 0; c < Columns; c++) {
            total[t][c] = vld1q_f32(sums[c] + tile_rows * t);
            whole[t][c] = vdupq_n_s32(0);
        }
    }
#pragma GCC unroll 1
    for (int g = 0; g < groups; g++) {
        int32x4_t sum[2][Columns];
        add_up<2, shape.group / 16, Columns>(weights, activations, g * (shape.group / 16), sum);
        for (int t = 0; t < 2; t++) {
            for (int c = 0; c < Columns; c++) {
                if constexpr (shape.scale_per_32) {
                    const float32x4_t scale = vmulq_n_f32(two[t].block_scale[g], a[c]->scale[g]);
                    total[t][c] = vfmaq_f32(total[t][c], vcvtq_f32_s32(sum[t][c]), scale);
                } else if constexpr (groups > 1) {
                    whole[t][c] = vmlaq_s32(whole[t][c], sum[t][c], two[t].group_scale[g]);
                } else {
                    whole[t][c] = sum[t][c];
                }
            }
        }
    }
    for (int t = 0; t < 2; t++) {
        for (int c = 0; c < Columns; c++) {
            if constexpr (!shape.scale_per_32) {
                const float32x4_t scale = vmulq_n_f32(two[t].scale, a[c]->scale[0]);
                total[t][c] = vfmaq_f32(total[t][c], vcvtq_f32_s32(whole[t][c]), scale);
            }
            if constexpr (shape.mins > 0) {
                int32x4_t below = vdupq_n_s32(0);
                for (int m = 0; m < shape.mins; m++) below = vmlal_n_s16(below, two[t].mins[m], a[c]->sums[m]);
                const float32x4_t scale = vmulq_n_f32(two[t].min_scale, a[c]->scale[0]);
                total[t][c] = vfmsq_f32(total[t][c], vcvtq_f32_s32(below), scale);
            }
            vst1q_f32(sums[c] + tile_rows * t, total[t][c]);
        }
    }
}

template <format F, int Columns>
inline void multiply_columns(const tile *tiles, const activation_step *a, const column *columns, float *sums) {
    const activation_step *in[Columns];
    for (int c = 0; c < Columns; c++) in[c] = a + columns[c].token;
    for (int t = 0; t < panel_tiles; t += 2) {
        float *out[Columns];
        for (int c = 0; c < Columns; c++) out[c] = sums + panel_rows * c + tile_rows * t;
        multiply_two_tiles<F, Columns>(tiles + t, in, out);
    }
}

// One step of a panel for n columns.
template <format F>
void multiply_panel(const tile *tiles, const activation_step *a, const column *columns, int n, float *sums) {
    int c = 0;
    for (; c + max_columns <= n; c += max_columns) {
        multiply_columns<F, max_columns>(tiles, a, columns + c, sums + panel_rows * c);
    }
    switch (n - c) {
        case 3:
            multiply_columns<F, 3>(tiles, a, columns + c, sums + panel_rows * c);
            break;
        case 2:
            multiply_columns<F, 2>(tiles, a, columns + c, sums + panel_rows * c);
            break;
        case 1:
            multiply_columns<F, 1>(tiles, a, columns + c, sums + panel_rows * c);
            break;
        default:
            break;
    }
}

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
