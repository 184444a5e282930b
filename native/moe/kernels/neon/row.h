// How a row's weights become vectors.
//
// LAYOUT  A quad is 16 consecutive weights of one row as signed bytes; a step has 16 of them. Arm multiplies signed by
//         signed bytes, so the weights are never made unsigned, and activation_step's bias is neither written nor read.
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

#include "../format.h"
#include "../repeat.h"
#include "flavour.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

// What the formats differ in. All take the address of a step of a row, and read nothing outside of it.
//
//   weights(in, emit)     calls emit(index<i>{}, quad) once for each quad i, in the order that suits the format, but a
//                         group's first quad first and its last one last
//   block_scales(in)      formats with 32-weight blocks: the scale of each block
//   scale(in)             all others: the scale of the step
//   group_scales(in)      groups smaller than a step: a signed byte each
//   min_scale(in), mins(in)   formats with minimums: an unsigned byte each
template <format F> struct unpacker;

// Eight floats in order.
using block_floats = float32x4x2_t;

inline int8x16_t as_signed(uint8x16_t v) { return vreinterpretq_s8_u8(v); }

inline uint8x16_t low_nibbles(uint8x16_t v) { return vandq_u8(v, vdupq_n_u8(15)); }

inline uint8x16_t high_nibbles(uint8x16_t v) { return vshrq_n_u8(v, 4); }

inline uint32_t load_32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

inline uint16_t load_16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

inline float load_float16(const uint8_t *p) {
    __fp16 h;
    memcpy(&h, p, 2);
    return static_cast<float>(h);
}

// Eight bytes, the first four from `low`.
inline uint8x8_t bytes_of(uint32_t low, uint32_t high) { return vcreate_u8(static_cast<uint64_t>(high) << 32 | low); }

// The 4-bit fields of eight bytes, in order.
inline uint8x16_t nibbles_in_order(uint8x8_t v) {
    const uint8x8_t low = vand_u8(v, vdup_n_u8(15));
    const uint8x8_t high = vshr_n_u8(v, 4);
    return vcombine_u8(vzip1_u8(low, high), vzip2_u8(low, high));
}

// `v` shifted by S bits to the left, or by -S to the right.
template <int S> inline uint8x16_t shifted(uint8x16_t v) {
    if constexpr (S > 0) {
        return vshlq_n_u8(v, S);
    } else if constexpr (S < 0) {
        return vshrq_n_u8(v, -S);
    } else {
        return v;
    }
}

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
