// Rows of the IQ formats: IQ4_XS, IQ3_XXS, IQ2_XS, IQ2_XXS.
#pragma once

#include "../codebook.h"
#include "row.h"
#include "unpack_small.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

template <> struct unpacker<format::iq4_xs> {
    nibble_book book{books.iq4};

    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<8>([&](auto g) {
            const uint8x16_t codes = vld1q_u8(in + 8 + 16 * g);
            emit(index<2 * g>{}, book.low(codes));
            emit(index<2 * g + 1>{}, book.high(codes));
        });
    }

    static float scale(const uint8_t *in) { return load_float16(in); }

    // Six bits each: the low four in a nibble, the high two in a word of eight pairs.
    static int8x16_t group_scales(const uint8_t *in) {
        const uint8x16_t low = nibbles_in_order(bytes_of(load_32(in + 4), 0));
        const int16x8_t places = {0, -2, -4, -6, -8, -10, -12, -14};
        const uint16x8_t pairs = vandq_u16(vshlq_u16(vdupq_n_u16(load_16(in + 2)), places), vdupq_n_u16(3));
        const uint8x16_t high = vcombine_u8(vshl_n_u8(vmovn_u16(pairs), 4), vdup_n_u8(0));
        return vsubq_s8(as_signed(vorrq_u8(low, high)), vdupq_n_s8(32));
    }
};

// The grids are read from the first-level cache: a lookup of 8 bytes costs a load there, while one byte of a table of
// 256 would cost four table instructions.
inline uint8x16_t two_eights(const uint8_t (&a)[8], const uint8_t (&b)[8]) {
    return vcombine_u8(vld1_u8(a), vld1_u8(b));
}

// Seven sign bits in every byte become eight: the last makes their number even.
inline uint8x16_t complete_signs(uint8x16_t sevens) { return vsliq_n_u8(sevens, vcntq_u8(sevens), 7); }

// The signs of 128 weights in bits 0..27 of four words.
inline uint8x16_t signs_of_words(uint32x4_t words) {
    const uint32x4_t halves = vbslq_u32(vdupq_n_u32(0x3fff), words, vshlq_n_u32(words, 2));
    const uint16x8_t pairs = vreinterpretq_u16_u32(halves);
    const uint16x8_t bytes = vbslq_u16(vdupq_n_u16(0x7f), pairs, vshlq_n_u16(pairs, 1));
    return complete_signs(vandq_u8(vreinterpretq_u8_u16(bytes), vdupq_n_u8(0x7f)));
}

// Negates the weights whose bit is set in bytes 2 I and 2 I + 1 of the signs.
template <int I> inline int8x16_t with_signs(uint8x16_t magnitudes, uint8x16_t signs) {
    const uint8x16_t spread = vcombine_u8(vdup_laneq_u8(signs, 2 * I), vdup_laneq_u8(signs, 2 * I + 1));
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    const uint8x16_t negative = vtstq_u8(spread, bit);
    return as_signed(vsubq_u8(veorq_u8(magnitudes, negative), negative));
}

// The upper four bits of eight words, s, as 2 s + 1.
inline int8x16_t odd_scales_of_words(uint32x4_t first, uint32x4_t second) {
    const uint16x8_t s = vcombine_u16(vmovn_u32(vshrq_n_u32(first, 28)), vmovn_u32(vshrq_n_u32(second, 28)));
    const uint8x8_t odd = vorr_u8(vshl_n_u8(vmovn_u16(s), 1), vdup_n_u8(1));
    return as_signed(vcombine_u8(odd, vdup_n_u8(0)));
}

inline uint32x4_t four_words(const uint8_t *p) { return vreinterpretq_u32_u8(vld1q_u8(p)); }

template <> struct unpacker<format::iq2_xxs> {
    // Words 2 g of a step are four grid indices, words 2 g + 1 the signs and the scale of the group g.
    template <int Half> static uint32x4_t sign_words(const uint8_t *in) {
        const uint8_t *at = in + 2 + 32 * Half;
        return vuzp2q_u32(four_words(at), four_words(at + 16));
    }

    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<2>([&](auto half) {
            const uint8x16_t signs = signs_of_words(sign_words<half>(in));
            repeat<8>([&](auto i) {
                const uint8_t *at = in + 2 + 32 * half + 8 * (i / 2) + 2 * (i % 2);
                emit(index<8 * half + i>{},
                     with_signs<i>(two_eights(books.iq2_xxs[at[0]], books.iq2_xxs[at[1]]), signs));
            });
        });
    }

    static float scale(const uint8_t *in) { return 0.125f * load_float16(in); }

    static int8x16_t group_scales(const uint8_t *in) {
        return odd_scales_of_words(sign_words<0>(in), sign_words<1>(in));
    }
};

template <> struct unpacker<format::iq2_xs> {
    // A word holds a 9-bit grid index and seven signs.
    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<2>([&](auto half) {
            const uint8_t *words = in + 2 + 32 * half;
            const uint8x8_t first = vshrn_n_u16(vreinterpretq_u16_u8(vld1q_u8(words)), 8);
            const uint8x8_t second = vshrn_n_u16(vreinterpretq_u16_u8(vld1q_u8(words + 16)), 8);
            const uint8x16_t signs = complete_signs(vshrq_n_u8(vcombine_u8(first, second), 1));
            repeat<8>([&](auto i) {
                const unsigned a = load_16(words + 4 * i) & 511u;
                const unsigned b = load_16(words + 4 * i + 2) & 511u;
                emit(index<8 * half + i>{}, with_signs<i>(two_eights(books.iq2_xs[a], books.iq2_xs[b]), signs));
            });
        });
    }

    static float scale(const uint8_t *in) { return 0.125f * load_float16(in); }

    static int8x16_t group_scales(const uint8_t *in) {
        const uint8x16_t s = nibbles_in_order(vld1_u8(in + 66));
        return as_signed(vorrq_u8(vshlq_n_u8(s, 1), vdupq_n_u8(1)));
    }
};

template <> struct unpacker<format::iq3_xxs> {
    static uint8x16_t four_fours(const uint8_t *at) {
        const auto four = [](const uint8_t(&grid)[4]) { return load_32(grid); };
        const uint8x8_t low = bytes_of(four(books.iq3_xxs[at[0]]), four(books.iq3_xxs[at[1]]));
        const uint8x8_t high = bytes_of(four(books.iq3_xxs[at[2]]), four(books.iq3_xxs[at[3]]));
        return vcombine_u8(low, high);
    }

    template <class Emit> void weights(const uint8_t *in, Emit &&emit) const {
        repeat<2>([&](auto half) {
            const uint8x16_t signs = signs_of_words(four_words(in + 66 + 16 * half));
            repeat<8>([&](auto i) {
                constexpr int at = 8 * half + i;
                emit(index<at>{}, with_signs<i>(four_fours(in + 2 + 4 * at), signs));
            });
        });
    }

    static float scale(const uint8_t *in) { return 0.25f * load_float16(in); }

    static int8x16_t group_scales(const uint8_t *in) {
        return odd_scales_of_words(four_words(in + 66), four_words(in + 82));
    }
};

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
