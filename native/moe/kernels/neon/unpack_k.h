// Rows of the K formats: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K.
#pragma once

#include "row.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

// Q4_K and Q5_K: d and dmin, then eight scales and eight minimums of six bits in twelve bytes.
struct k4_head {
    static float scale(const uint8_t *in) { return load_float16(in); }

    static int8x16_t group_scales(const uint8_t *in) {
        const uint32_t s = load_32(in + 4);
        const uint32_t rest = load_32(in + 12);
        const uint8x8_t all = bytes_of(s & 0x3f3f3f3f, (rest & 0x0f0f0f0f) | (s >> 2 & 0x30303030));
        return as_signed(vcombine_u8(all, vdup_n_u8(0)));
    }

    static float min_scale(const uint8_t *in) { return load_float16(in + 2); }

    static uint8x16_t mins(const uint8_t *in) {
        const uint32_t m = load_32(in + 8);
        const uint32_t rest = load_32(in + 12);
        const uint8x8_t all = bytes_of(m & 0x3f3f3f3f, (rest >> 4 & 0x0f0f0f0f) | (m >> 2 & 0x30303030));
        return vcombine_u8(all, vdup_n_u8(0));
    }
};

template <> struct unpacker<format::q4_k> : k4_head {
    // Every 32 bytes hold 32 weights in their low and the next 32 in their high nibbles.
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<8>([&](auto i) {
            constexpr int at = 4 * (i / 2) + i % 2;
            const uint8x16_t codes = vld1q_u8(in + 16 + 16 * i);
            emit(index<at>{}, as_signed(low_nibbles(codes)));
            emit(index<at + 2>{}, as_signed(high_nibbles(codes)));
        });
    }
};

template <> struct unpacker<format::q5_k> : k4_head {
    // As Q4_K, and bit g of the 32 high bytes belongs to the group g of 32 weights.
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        const uint8x16_t bit = vdupq_n_u8(16);
        const uint8x16_t high[2] = {vld1q_u8(in + 16), vld1q_u8(in + 32)};
        repeat<8>([&](auto i) {
            constexpr int c = i / 2;
            constexpr int h = i % 2;
            const uint8x16_t codes = vld1q_u8(in + 48 + 16 * i);
            const uint8x16_t first = vandq_u8(shifted<4 - 2 * c>(high[h]), bit);
            const uint8x16_t second = vandq_u8(shifted<3 - 2 * c>(high[h]), bit);
            emit(index<4 * c + h>{}, as_signed(vorrq_u8(low_nibbles(codes), first)));
            emit(index<4 * c + 2 + h>{}, as_signed(vorrq_u8(high_nibbles(codes), second)));
        });
    }
};

template <> struct unpacker<format::q6_k> {
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        const uint8x16_t bits = vdupq_n_u8(0x30);
        const auto weight = [](uint8x16_t low, uint8x16_t high) {
            return vsubq_s8(as_signed(vorrq_u8(low, high)), vdupq_n_s8(32));
        };
        repeat<4>([&](auto i) {
            constexpr int n = i / 2;  // half of the step
            constexpr int h = i % 2;
            const uint8x16_t high = vld1q_u8(in + 128 + 32 * n + 16 * h);
            const uint8x16_t a = vld1q_u8(in + 64 * n + 16 * h);
            const uint8x16_t b = vld1q_u8(in + 64 * n + 32 + 16 * h);
            emit(index<8 * n + h>{}, weight(low_nibbles(a), vandq_u8(shifted<4>(high), bits)));
            emit(index<8 * n + 2 + h>{}, weight(low_nibbles(b), vandq_u8(shifted<2>(high), bits)));
            emit(index<8 * n + 4 + h>{}, weight(high_nibbles(a), vandq_u8(high, bits)));
            emit(index<8 * n + 6 + h>{}, weight(high_nibbles(b), vandq_u8(shifted<-2>(high), bits)));
        });
    }

    static float scale(const uint8_t *in) { return load_float16(in + 208); }

    static int8x16_t group_scales(const uint8_t *in) { return as_signed(vld1q_u8(in + 192)); }
};

// Code times group scale still fits a byte in Q2_K and Q3_K, so one scale per step remains.
template <> struct unpacker<format::q2_k> {
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        const uint8x16_t group = low_nibbles(vld1q_u8(in));
        repeat<4>([&](auto i) {
            constexpr int n = i / 2;
            constexpr int h = i % 2;
            const uint8x16_t codes = vld1q_u8(in + 16 + 32 * n + 16 * h);
            repeat<4>([&](auto k) {
                constexpr int at = 8 * n + 2 * k + h;
                const uint8x16_t code = vandq_u8(shifted<-2 * k>(codes), vdupq_n_u8(3));
                emit(index<at>{}, as_signed(vmulq_u8(code, vdupq_laneq_u8(group, at))));
            });
        });
    }

    static float scale(const uint8_t *in) { return load_float16(in + 80); }

    static float min_scale(const uint8_t *in) { return load_float16(in + 82); }

    static uint8x16_t mins(const uint8_t *in) { return high_nibbles(vld1q_u8(in)); }
};

// The product reaches +128 but not -128, so its negative is used, and the scale is -d.
template <> struct unpacker<format::q3_k> {
    // Sixteen scales of six bits in twelve bytes: four bits each in the first eight, two each in the last four.
    static int8x16_t group_scales_in_bytes(const uint8_t *in) {
        const uint8x8_t first = vld1_u8(in + 96);
        const uint8x16_t low = vcombine_u8(vand_u8(first, vdup_n_u8(15)), vshr_n_u8(first, 4));
        const uint32x4_t last = vdupq_n_u32(load_32(in + 104));
        const int32x4_t places = {4, 2, 0, -2};
        const uint8x16_t high = vandq_u8(vreinterpretq_u8_u32(vshlq_u32(last, places)), vdupq_n_u8(0x30));
        return vsubq_s8(as_signed(vorrq_u8(low, high)), vdupq_n_s8(32));
    }

    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        const int8x16_t group = group_scales_in_bytes(in);
        const uint8x16_t high[2] = {vld1q_u8(in), vld1q_u8(in + 16)};
        repeat<4>([&](auto i) {
            constexpr int n = i / 2;
            constexpr int h = i % 2;
            const uint8x16_t codes = vld1q_u8(in + 32 + 32 * n + 16 * h);
            repeat<4>([&](auto k) {
                constexpr int at = 8 * n + 2 * k + h;
                constexpr int bit = 4 * n + k;
                const uint8x16_t code = vandq_u8(shifted<-2 * k>(codes), vdupq_n_u8(3));
                // 4 where the high bit is clear: what the code is too large by.
                const uint8x16_t excess = vbicq_u8(vdupq_n_u8(4), shifted<2 - bit>(high[h]));
                const int8x16_t minus_code = as_signed(vsubq_u8(excess, code));
                emit(index<at>{}, vmulq_s8(minus_code, vdupq_laneq_s8(group, at)));
            });
        });
    }

    static float scale(const uint8_t *in) { return -load_float16(in + 108); }
};

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
