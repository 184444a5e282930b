// Rows of the formats with 32-weight blocks: Q8_0, Q4_0, Q5_0, IQ4_NL, MXFP4.
#pragma once

#include "../codebook.h"
#include "row.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

// Blocks of Bytes bytes that begin with a half-precision scale.
template <int Bytes> struct small_blocks {
    static block_floats block_scales(const uint8_t *in) {
        float16x4_t half[2];
        repeat<2>([&](auto h) {
            uint16_t bits[4];
            for (int b = 0; b < 4; b++) bits[b] = load_16(in + (4 * h + b) * Bytes);
            half[h] = vreinterpret_f16_u16(vld1_u16(bits));
        });
        return {{vcvt_f32_f16(half[0]), vcvt_f32_f16(half[1])}};
    }
};

template <> struct unpacker<format::q8_0> : small_blocks<34> {
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<8>([&](auto b) {
            emit(index<2 * b>{}, as_signed(vld1q_u8(in + 34 * b + 2)));
            emit(index<2 * b + 1>{}, as_signed(vld1q_u8(in + 34 * b + 18)));
        });
    }
};

template <> struct unpacker<format::q4_0> : small_blocks<18> {
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        const int8x16_t eight = vdupq_n_s8(8);
        repeat<8>([&](auto b) {
            const uint8x16_t codes = vld1q_u8(in + 18 * b + 2);
            emit(index<2 * b>{}, vsubq_s8(as_signed(low_nibbles(codes)), eight));
            emit(index<2 * b + 1>{}, vsubq_s8(as_signed(high_nibbles(codes)), eight));
        });
    }
};

template <> struct unpacker<format::q5_0> : small_blocks<22> {
    // Subtracting 16 where the high bit is clear is setting the upper four bits there.
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
        const uint8x16_t upper = vdupq_n_u8(0xf0);
        repeat<8>([&](auto b) {
            const uint8x16_t high = vreinterpretq_u8_u32(vdupq_n_u32(load_32(in + 22 * b + 2)));
            const uint8x16_t codes = vld1q_u8(in + 22 * b + 6);
            const uint8x16_t first = vcombine_u8(vdup_laneq_u8(high, 0), vdup_laneq_u8(high, 1));
            const uint8x16_t second = vcombine_u8(vdup_laneq_u8(high, 2), vdup_laneq_u8(high, 3));
            emit(index<2 * b>{}, as_signed(vorrq_u8(low_nibbles(codes), vbicq_u8(upper, vtstq_u8(first, bit)))));
            emit(index<2 * b + 1>{}, as_signed(vorrq_u8(high_nibbles(codes), vbicq_u8(upper, vtstq_u8(second, bit)))));
        });
    }
};

// Four-bit codes that stand for the 16 values of a codebook.
class nibble_book {
  public:
    explicit nibble_book(const int8_t (&values)[16]) : table_(vld1q_s8(values)) {}

    int8x16_t low(uint8x16_t codes) const { return vqtbl1q_s8(table_, low_nibbles(codes)); }
    int8x16_t high(uint8x16_t codes) const { return vqtbl1q_s8(table_, high_nibbles(codes)); }

  private:
    int8x16_t table_;
};

template <> struct unpacker<format::iq4_nl> : small_blocks<18> {
    nibble_book book{books.iq4};

    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<8>([&](auto b) {
            const uint8x16_t codes = vld1q_u8(in + 18 * b + 2);
            emit(index<2 * b>{}, book.low(codes));
            emit(index<2 * b + 1>{}, book.high(codes));
        });
    }
};

template <> struct unpacker<format::mxfp4> {
    nibble_book book{books.mxfp4};

    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<8>([&](auto b) {
            const uint8x16_t codes = vld1q_u8(in + 17 * b + 1);
            emit(index<2 * b>{}, book.low(codes));
            emit(index<2 * b + 1>{}, book.high(codes));
        });
    }

    // Half of 2^(e - 127), built as float bits; exponents 0 and 1 are subnormal.
    static block_floats block_scales(const uint8_t *in) {
        block_floats out;
        repeat<2>([&](auto h) {
            uint32_t exponents[4];
            for (int b = 0; b < 4; b++) exponents[b] = in[(4 * h + b) * 17];
            const uint32x4_t e = vld1q_u32(exponents);
            const uint32x4_t normal = vshlq_n_u32(vsubq_u32(e, vdupq_n_u32(1)), 23);
            const uint32x4_t tiny = vshlq_u32(vdupq_n_u32(0x00200000), vreinterpretq_s32_u32(e));
            out.val[h] = vreinterpretq_f32_u32(vbslq_u32(vcltq_u32(e, vdupq_n_u32(2)), tiny, normal));
        });
        return out;
    }
};

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
