// Tiles of the IQ formats: IQ4_XS, IQ3_XXS, IQ2_XS, IQ2_XXS.
#pragma once

#include "grid_blocks.h"
#include "unpack_small.h"

namespace panallama::PANALLAMA_FLAVOUR {

template <> struct unpacker<format::iq4_xs> {
    nibble_book book{books.iq4, iq4_offset};

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto g) PANALLAMA_INLINE { book.emit_block<g>(in.load(8 + 16 * g), emit); });
    }

    // Eight nibbles, and eight 2-bit fields above them.
    static void scales(const tile_source &in, tile_scales *out) {
        const quad head = in.load(0);
        out->super = half_of<0>(head.v[0]);
        const __m256i two = pick_bytes<0x03030202>(head.v[0]);
        const __m256i first = _mm256_set1_epi32(0x00300030);
        const __m256i second = _mm256_set1_epi32(0x30003000);
        const __m256i minus_32 = bytes_of(32);
        const __m256i even = and_or(shift<4>(two), first, and_or(two, second, and_bytes(head.v[1], 15)));
        const __m256i odd =
            and_or(shift<2>(two), first, and_or(shift<-2>(two), second, and_bytes(shift<-4>(head.v[1]), 15)));
        repeat<4>([&](auto i) PANALLAMA_INLINE {
            out->group[2 * i] = signed_group_scale<i>(_mm256_sub_epi8(even, minus_32));
            out->group[2 * i + 1] = signed_group_scale<i>(_mm256_sub_epi8(odd, minus_32));
        });
    }
};

// Grid formats are decoded row by row, then transposed.
template <format F> struct grid_unpacker {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        alignas(32) uint8_t rows[tile_rows][step];
        grid_signs signs[tile_rows];
        for (int r = 0; r < tile_rows; r++) grid_block<F>::read_signs(in.at(r, 0), &signs[r]);
        for (int r = 0; r < tile_rows; r++) {
            for (int g = 0; g < 8; g++) {
                _mm256_store_si256(reinterpret_cast<__m256i *>(rows[r] + 32 * g),
                                   _mm256_sign_epi8(grid_block<F>::magnitudes(in.at(r, 0), g), signs[r].at(g)));
            }
        }
        const tile_source decoded(rows[0], step);
        repeat<16>([&](auto i) PANALLAMA_INLINE { emit(i, decoded.load(16 * i)); });
    }
};

// 2 s + 1
inline __m256i odd_scale(__m256i s) { return _mm256_add_epi32(_mm256_add_epi32(s, s), _mm256_set1_epi32(1)); }

template <> struct unpacker<format::iq2_xxs> : grid_unpacker<format::iq2_xxs> {
    static void scales(const tile_source &in, tile_scales *out) {
        out->super = _mm256_mul_ps(half_of<0>(in.load_first(0)), _mm256_set1_ps(0.125f));
        repeat<4>([&](auto i) PANALLAMA_INLINE {
            const quad pair = in.load(2 + 16 * i);
            out->group[2 * i] = group_scale(odd_scale(_mm256_srli_epi32(pair.v[1], 28)));
            out->group[2 * i + 1] = group_scale(odd_scale(_mm256_srli_epi32(pair.v[3], 28)));
        });
    }
};

template <> struct unpacker<format::iq2_xs> : grid_unpacker<format::iq2_xs> {
    static void scales(const tile_source &in, tile_scales *out) {
        out->super = _mm256_mul_ps(half_of<0>(in.load_first(0)), _mm256_set1_ps(0.125f));
        const quad end = in.load(58);  // the last eight bytes are sixteen 4-bit scales
        repeat<2>([&](auto i) PANALLAMA_INLINE {
            const auto odd = [](__m256i s) { return _mm256_or_si256(_mm256_add_epi8(s, s), bytes_of(1)); };
            const __m256i low = odd(and_bytes(end.v[2 + i], 15));
            const __m256i high = odd(and_bytes(shift<-4>(end.v[2 + i]), 15));
            repeat<4>([&](auto j) PANALLAMA_INLINE {
                out->group[8 * i + 2 * j] = unsigned_group_scale<j>(low);
                out->group[8 * i + 2 * j + 1] = unsigned_group_scale<j>(high);
            });
        });
    }
};

template <> struct unpacker<format::iq3_xxs> : grid_unpacker<format::iq3_xxs> {
    static void scales(const tile_source &in, tile_scales *out) {
        out->super = _mm256_mul_ps(half_of<0>(in.load_first(0)), _mm256_set1_ps(0.25f));
        repeat<2>([&](auto half) PANALLAMA_INLINE {
            const quad words = in.load(66 + 16 * half);
            repeat<4>([&](auto j) PANALLAMA_INLINE {
                out->group[4 * half + j] = group_scale(odd_scale(_mm256_srli_epi32(words.v[j], 28)));
            });
        });
    }
};

}  // namespace panallama::PANALLAMA_FLAVOUR
