// Multiplies rows by one column, as decoding does: weights go from memory through registers into the sums, once.
//
// SHAPES      16 rows (a tile), Columns columns, any number of steps
// DEFINITION  total[column] lane r = weights of row r * activations
#pragma once

#include "../kernel.h"
#include "panel.h"
#include "tile.h"

namespace panallama::avx512 {

// Fetches the tile after this one in one ascending stream, an equal part with every quad. The 16 rows of a tile are as
// many streams at once, which memory serves at half the speed; from the second-level cache they cost nothing.
struct read_ahead {
    const uint8_t *at;

    template <int Bytes> void advance() {
        for (int i = 0; i < Bytes; i += 64) _mm_prefetch(reinterpret_cast<const char *>(at + i), _MM_HINT_T1);
        at += Bytes;
    }
};

// One step of a tile.
template <format F, int Columns>
inline __attribute__((always_inline)) void stream_step(const unpacker<F> &unpack, const tile_source &in,
                                                       const activation_step *const (&a)[Columns], read_ahead *ahead,
                                                       __m512 (&total)[Columns]) {
    constexpr format_shape shape = shape_of(F);
    constexpr int groups = step / shape.group;
    tile_scales scales;
    unpacker<F>::scales(in, &scales);
    __m512 part[Columns];
    for (int c = 0; c < Columns; c++) part[c] = shape.scale_per_32 ? total[c] : _mm512_setzero_ps();
    __m512i sum[Columns][groups];
    // Sums begin at a group's first quad and end at its last, so that few of them need a register at a time.
    unpack.weights(in, [&](auto i, const quad &q) {
        constexpr int at = i;
        constexpr int quads_per_group = shape.group / 16;
        constexpr int g = at / quads_per_group;
        ahead->template advance<step_bytes(F)>();
        for (int c = 0; c < Columns; c++) {
            __m512i &s = sum[c][g];
            if constexpr (at % quads_per_group == 0) {
                s = shape.offset != 0 ? _mm512_set1_epi32(a[c]->bias[g]) : _mm512_setzero_si512();
            }
            for (int j = 0; j < 4; j++) add_dot(s, q.v[j], four_activations(a[c]->q + 16 * at + 4 * j));
            if constexpr (at % quads_per_group == quads_per_group - 1) {
                __m512 scale = scales.scale[g];
                if constexpr (shape.scale_per_32) scale = _mm512_mul_ps(scale, _mm512_set1_ps(a[c]->scale[g]));
                part[c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s), scale, part[c]);
            }
        }
    });
    for (int c = 0; c < Columns; c++) {
        if constexpr (shape.mins > 0) {
            __m512i below = _mm512_setzero_si512();
            for (int m = 0; m < shape.mins / 2; m++) {
                add_dot_16(below, scales.mins[m], two_sums(a[c]->sums + 2 * m));
            }
            part[c] = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(below), scales.min_scale, part[c]);
        }
        total[c] = shape.scale_per_32 ? part[c] : _mm512_fmadd_ps(part[c], _mm512_set1_ps(a[c]->scale[0]), total[c]);
    }
}

}  // namespace panallama::avx512
