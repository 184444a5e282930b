// Multiplies rows by one column, as decoding does: weights go from memory through registers into the sums, once.
//
// SHAPES      one row, one column, one step
// DEFINITION  total, added up over its lanes, += weights * activations
#pragma once

#include "../kernel.h"
#include "row.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

// Lane I of the vectors, as if they were one.
template <int I, size_t N> inline int32x4_t add_scaled(int32x4_t to, int32x4_t sum, const int32x4_t (&scales)[N]) {
    return vmlaq_laneq_s32(to, sum, scales[I / 4], I % 4);
}

// Sixteen signed bytes as four vectors of dwords.
inline void widen(int8x16_t v, int32x4_t (&out)[4]) {
    const int16x8_t low = vmovl_s8(vget_low_s8(v));
    const int16x8_t high = vmovl_high_s8(v);
    out[0] = vmovl_s16(vget_low_s16(low));
    out[1] = vmovl_high_s16(low);
    out[2] = vmovl_s16(vget_low_s16(high));
    out[3] = vmovl_high_s16(high);
}

// Minimums times the sums of activations, in four parts. Each part fits: 4 * 63 * 32 * 128 < 2^31.
template <format F> inline int32x4_t below(const uint8_t *in, const activation_step &a) {
    const uint8x16_t mins = unpacker<F>::mins(in);
    const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(mins)));
    const int16x8_t sums = vld1q_s16(a.sums);
    int32x4_t part = vmull_s16(vget_low_s16(low), vget_low_s16(sums));
    part = vmlal_high_s16(part, low, sums);
    if constexpr (shape_of(F).mins == 16) {
        const int16x8_t high = vreinterpretq_s16_u16(vmovl_high_u8(mins));
        const int16x8_t more = vld1q_s16(a.sums + 8);
        part = vmlal_s16(part, vget_low_s16(high), vget_low_s16(more));
        part = vmlal_high_s16(part, high, more);
    }
    return part;
}

template <format F> inline __attribute__((always_inline)) void stream_step(const unpacker<F> &unpack, const uint8_t *in,
                                                                           const activation_step &a,
                                                                           float32x4_t *total) {
    constexpr format_shape shape = shape_of(F);
    constexpr int groups = step / shape.group;
    constexpr int quads_per_group = shape.group / 16;
    block_floats block_scale;
    int32x4_t group_scale[4];
    if constexpr (shape.scale_per_32) {
        block_scale = unpacker<F>::block_scales(in);
        for (int i = 0; i < 2; i++) block_scale.val[i] = vmulq_f32(block_scale.val[i], vld1q_f32(a.scale + 4 * i));
    } else if constexpr (groups > 1) {
        widen(unpacker<F>::group_scales(in), group_scale);
    }
    // Sums begin at a group's first quad and end at its last, so that few of them need a register at a time.
    int32x4_t sum[groups];
    int32x4_t whole = vdupq_n_s32(0);
    unpack.weights(in, [&](auto i, int8x16_t w) {
        constexpr int at = i;
        constexpr int g = at / quads_per_group;
        const int32x4_t before = at % quads_per_group == 0 ? vdupq_n_s32(0) : sum[g];
        sum[g] = vdotq_s32(before, w, vld1q_s8(a.q + 16 * at));
        if constexpr (at % quads_per_group == quads_per_group - 1) {
            if constexpr (shape.scale_per_32) {
                *total = vfmaq_laneq_f32(*total, vcvtq_f32_s32(sum[g]), block_scale.val[g / 4], g % 4);
            } else if constexpr (groups > 1) {
                whole = add_scaled<g>(whole, sum[g], group_scale);
            } else {
                whole = sum[g];
            }
        }
    });
    if constexpr (!shape.scale_per_32) {
        *total = vfmaq_n_f32(*total, vcvtq_f32_s32(whole), unpacker<F>::scale(in) * a.scale[0]);
    }
    if constexpr (shape.mins > 0) {
        *total = vfmsq_n_f32(*total, vcvtq_f32_s32(below<F>(in, a)), unpacker<F>::min_scale(in) * a.scale[0]);
    }
}

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
