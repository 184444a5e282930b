// Tiles of the IQ formats: IQ4_XS, IQ3_XXS, IQ2_XS, IQ2_XXS.
#pragma once

#include "../codebook.h"
#include "tile.h"
#include "unpack_small.h"

namespace panallama::avx512 {

template <> struct unpacker<format::iq4_xs> {
    nibble_book book{books.iq4};

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto g) { book.emit_block<g>(in.load(8 + 16 * g), emit); });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const quad head = in.load(0);
        const __m512 d = low_half(head.v[0]);
        const __m512i high = _mm512_srli_epi32(head.v[0], 16);
        repeat<8>([&](auto g) {
            const __m512i two = 2 * g < 4 ? _mm512_slli_epi32(high, 2 * g < 4 ? 4 - 2 * g : 0)
                                          : _mm512_srli_epi32(high, 2 * g < 4 ? 0 : 2 * g - 4);
            const __m512i low = _mm512_and_si512(_mm512_srli_epi32(head.v[1], 4 * g), _mm512_set1_epi32(15));
            const __m512i s = _mm512_sub_epi32(and_or(two, _mm512_set1_epi32(0x30), low), _mm512_set1_epi32(32));
            out->scale[g] = _mm512_mul_ps(d, _mm512_cvtepi32_ps(s));
        });
    }
};

// Makes every value of a grid unsigned, negated ones too.
constexpr uint8_t grid_offset = 64;

// The grids' values are few: a code names each by its number. Tables are looked up by whole index bytes.
struct grid_tables {
    alignas(64) uint8_t iq2_xxs[2][256];  // [half][index]: 2-bit codes of weights 0..3 or 4..7
    alignas(64) uint8_t iq2_xs[2][512];
    alignas(64) uint8_t iq3_xxs[2][256];       // [0]: the low two bits of four codes, [1]: their third bits
    alignas(64) uint8_t iq3_pair[2][256];      // [half]: 3-bit codes of weights 0, 1 or 2, 3
    alignas(64) uint8_t iq2_magnitude[3][64];  // grid_offset + value of the j-th of three 2-bit codes
    alignas(64) uint8_t iq3_magnitude[2][64];  // grid_offset + value of the j-th of two 3-bit codes
    alignas(64) uint8_t iq2_value[64];         // 128 + value of a 2-bit code, repeated
    alignas(64) uint8_t iq3_value[64];         // 128 + value of a 3-bit code, repeated
};

const grid_tables &grids();

// table[i] for 64 bytes i.
inline __m512i look_up_256(const uint8_t *table, __m512i i) {
    const __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(table), i, _mm512_load_si512(table + 64));
    const __m512i high = _mm512_permutex2var_epi8(_mm512_load_si512(table + 128), i, _mm512_load_si512(table + 192));
    return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(i), high);
}

// Negates (around 128) the bytes whose sign bit is set: `spread` has a group's eight sign bits in every byte.
template <int Half> inline __m512i apply_signs(__m512i v, __m512i spread) {
    const __m512i bit = _mm512_set1_epi32(Half == 0 ? 0x08040201 : static_cast<int>(0x80402010u));
    return _mm512_mask_sub_epi8(v, _mm512_test_epi8_mask(spread, bit), _mm512_setzero_si512(), v);
}

// Seven sign bits at bit `First` of each byte become eight: the last makes their number even.
template <int First> inline __m512i complete_signs(__m512i v) {
    constexpr uint64_t matrix = [] {
        uint64_t m = 0;  // byte 7 - i of the matrix makes bit i
        for (unsigned i = 0; i < 7; i++) m |= uint64_t{1} << (i + First) << 8 * (7 - i);
        return m | (uint64_t{0x7f} << First);
    }();
    return _mm512_gf2p8affine_epi64_epi8(v, _mm512_set1_epi64(static_cast<int64_t>(matrix)), 0);
}

// d times (2 s + 1) times Unit.
inline __m512 odd_scale(__m512 d, __m512i s) {
    return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_add_epi32(s, s), _mm512_set1_epi32(1))));
}

template <> struct unpacker<format::iq2_xxs> {
    const grid_tables &t = grids();

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m512i values = _mm512_load_si512(t.iq2_value);
        repeat<4>([&](auto i) {
            const quad pair = in.load(2 + 16 * i);
            repeat<2>([&](auto b) {
                constexpr int g = 2 * i + b;
                const __m512i at = pair.v[2 * b];
                const __m512i first = look_up_256(t.iq2_xxs[0], at);
                const __m512i second = look_up_256(t.iq2_xxs[1], at);
                const __m512i signs = complete_signs<0>(bit_fields<0, 7>(pair.v[2 * b + 1]));
                repeat<2>([&](auto h) {
                    quad q;
                    repeat<2>([&](auto j) {
                        constexpr int l = 2 * h + j;
                        const __m512i s = spread_byte<l>(signs);
                        const __m512i a = _mm512_permutexvar_epi8(bit_fields<8 * l, 2>(first), values);
                        const __m512i c = _mm512_permutexvar_epi8(bit_fields<8 * l, 2>(second), values);
                        q.v[2 * j] = apply_signs<0>(a, s);
                        q.v[2 * j + 1] = apply_signs<1>(c, s);
                    });
                    emit(index<2 * g + h>{}, q);
                });
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const __m512 d = _mm512_mul_ps(low_half(in.load_first(0)), _mm512_set1_ps(0.125f));
        repeat<4>([&](auto i) {
            const quad pair = in.load(2 + 16 * i);
            out->scale[2 * i] = odd_scale(d, _mm512_srli_epi32(pair.v[1], 28));
            out->scale[2 * i + 1] = odd_scale(d, _mm512_srli_epi32(pair.v[3], 28));
        });
    }
};

template <> struct unpacker<format::iq2_xs> {
    const grid_tables &t = grids();

    // table[i + 256 * (high & 1)] for 64 bytes i.
    static __m512i look_up_512(const uint8_t *table, __m512i i, __mmask64 high) {
        return _mm512_mask_mov_epi8(look_up_256(table, i), high, look_up_256(table + 256, i));
    }

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m512i values = _mm512_load_si512(t.iq2_value);
        const __m512i even = _mm512_set1_epi32(0x00ff00ff);
        repeat<8>([&](auto i) {
            const quad words = in.load(2 + 16 * (i / 2));
            constexpr int v = 2 * (i % 2);  // two dwords: four words of a 9-bit index and 7 signs, for 32 weights
            const __m512i x = words.v[v];
            const __m512i y = words.v[v + 1];
            // Bytes of word 0 of x, word 0 of y, word 1 of x, word 1 of y.
            const __m512i low = _mm512_ternarylogic_epi32(even, x, _mm512_slli_epi32(y, 8), 0xca);
            const __m512i high = _mm512_ternarylogic_epi32(even, _mm512_srli_epi32(x, 8), y, 0xca);
            const __mmask64 above = _mm512_test_epi8_mask(high, bytes_of(1));
            const __m512i first = look_up_512(t.iq2_xs[0], low, above);
            const __m512i second = look_up_512(t.iq2_xs[1], low, above);
            const __m512i signs = complete_signs<1>(high);
            repeat<2>([&](auto h) {
                quad q;
                repeat<2>([&](auto j) {
                    constexpr int l = h + 2 * j;  // words 0, 1 of x, then of y
                    const __m512i s = spread_byte<l>(signs);
                    const __m512i a = _mm512_permutexvar_epi8(bit_fields<8 * l, 2>(first), values);
                    const __m512i c = _mm512_permutexvar_epi8(bit_fields<8 * l, 2>(second), values);
                    q.v[2 * j] = apply_signs<0>(a, s);
                    q.v[2 * j + 1] = apply_signs<1>(c, s);
                });
                emit(index<2 * i + h>{}, q);
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const __m512 d = _mm512_mul_ps(low_half(in.load_first(0)), _mm512_set1_ps(0.125f));
        const quad end = in.load(58);  // the last eight bytes are sixteen 4-bit scales
        repeat<16>([&](auto g) {
            const __m512i s = _mm512_and_si512(_mm512_srli_epi32(end.v[2 + g / 8], 4 * (g % 8)), _mm512_set1_epi32(15));
            out->scale[g] = odd_scale(d, s);
        });
    }
};

template <> struct unpacker<format::iq3_xxs> {
    const grid_tables &t = grids();

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m512i values = _mm512_load_si512(t.iq3_value);
        repeat<2>([&](auto half) {
            const quad words = in.load(66 + 16 * half);
            repeat<2>([&](auto pair) {
                const quad at = in.load(2 + 32 * half + 16 * pair);
                repeat<2>([&](auto b) {
                    constexpr int g = 4 * half + 2 * pair + b;
                    const __m512i signs = complete_signs<0>(bit_fields<0, 7>(words.v[g % 4]));
                    repeat<2>([&](auto h) {
                        const __m512i low = look_up_256(t.iq3_xxs[0], at.v[2 * b + h]);
                        const __m512i high = look_up_256(t.iq3_xxs[1], at.v[2 * b + h]);
                        quad q;
                        repeat<4>([&](auto j) {
                            // Bits 0 and 1 from the first table, bit 2 from the second; vpermb ignores the rest.
                            const __m512i code = _mm512_ternarylogic_epi32(bytes_of(3), bit_fields<8 * j, 2>(low),
                                                                           bit_fields<8 * j - 2, 1>(high), 0xca);
                            q.v[j] = apply_signs<j % 2>(_mm512_permutexvar_epi8(code, values),
                                                        spread_byte<2 * h + j / 2>(signs));
                        });
                        emit(index<2 * g + h>{}, q);
                    });
                });
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const __m512 d = _mm512_mul_ps(low_half(in.load_first(0)), _mm512_set1_ps(0.25f));
        repeat<2>([&](auto half) {
            const quad words = in.load(66 + 16 * half);
            repeat<4>([&](auto j) { out->scale[4 * half + j] = odd_scale(d, _mm512_srli_epi32(words.v[j], 28)); });
        });
    }
};

}  // namespace panallama::avx512
