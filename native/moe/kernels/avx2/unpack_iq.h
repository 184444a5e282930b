// Tiles of the IQ formats: IQ4_XS, IQ3_XXS, IQ2_XS, IQ2_XXS.
#pragma once

#include <cstring>

#include "tile.h"
#include "unpack_small.h"

namespace panallama::PANALLAMA_FLAVOUR {

template <> struct unpacker<format::iq4_xs> {
    nibble_book book{books.iq4, 0};

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

// The eight signs, as +1 and -1, that seven bits stand for: the last makes the number of negative ones even.
struct sign_table {
    uint64_t signs[128];
};

const sign_table &signs();

template <class T> inline T load_as(const uint8_t *p) {
    T v;
    memcpy(&v, p, sizeof v);
    return v;
}

// Grid formats name 4 or 8 neighbouring weights by an index: rows are decoded one by one, then transposed.
// DEFINITION  Derived::magnitudes(block, g) times Derived::signs_of(t, block, g) are the weights 32 g .. 32 g + 31
template <class Derived> struct grid_unpacker {
    const sign_table &t = signs();

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        alignas(32) uint8_t rows[tile_rows][step];
        for (int r = 0; r < tile_rows; r++) {
            const uint8_t *block = in.at(r, 0);
            for (int g = 0; g < 8; g++) {
                _mm256_store_si256(reinterpret_cast<__m256i *>(rows[r] + 32 * g),
                                   _mm256_sign_epi8(Derived::magnitudes(block, g), Derived::signs_of(t, block, g)));
            }
        }
        const tile_source decoded(rows[0], step);
        repeat<16>([&](auto i) PANALLAMA_INLINE { emit(i, decoded.load(16 * i)); });
    }

    // Signs of four times eight weights by the 7-bit fields of a word.
    static __m256i signs_by_fields(const sign_table &t, uint32_t word) {
        return _mm256_setr_epi64x(
            static_cast<int64_t>(t.signs[word & 127]), static_cast<int64_t>(t.signs[word >> 7 & 127]),
            static_cast<int64_t>(t.signs[word >> 14 & 127]), static_cast<int64_t>(t.signs[word >> 21 & 127]));
    }
};

// 2 s + 1
inline __m256i odd_scale(__m256i s) { return _mm256_add_epi32(_mm256_add_epi32(s, s), _mm256_set1_epi32(1)); }

template <> struct unpacker<format::iq2_xxs> : grid_unpacker<unpacker<format::iq2_xxs>> {
    static __m256i magnitudes(const uint8_t *block, int g) {
        const uint8_t *at = block + 2 + 8 * g;
        return _mm256_setr_epi64x(load_as<int64_t>(books.iq2_xxs[at[0]]), load_as<int64_t>(books.iq2_xxs[at[1]]),
                                  load_as<int64_t>(books.iq2_xxs[at[2]]), load_as<int64_t>(books.iq2_xxs[at[3]]));
    }

    static __m256i signs_of(const sign_table &t, const uint8_t *block, int g) {
        return signs_by_fields(t, load_as<uint32_t>(block + 2 + 8 * g + 4));
    }

    static void scales(const tile_source &in, tile_scales *out) {
        out->super = _mm256_mul_ps(half_of<0>(in.load_first(0)), _mm256_set1_ps(0.125f));
        repeat<4>([&](auto i) PANALLAMA_INLINE {
            const quad pair = in.load(2 + 16 * i);
            out->group[2 * i] = group_scale(odd_scale(_mm256_srli_epi32(pair.v[1], 28)));
            out->group[2 * i + 1] = group_scale(odd_scale(_mm256_srli_epi32(pair.v[3], 28)));
        });
    }
};

template <> struct unpacker<format::iq2_xs> : grid_unpacker<unpacker<format::iq2_xs>> {
    static __m256i magnitudes(const uint8_t *block, int g) {
        const auto eight = [&](int i) PANALLAMA_INLINE {
            return load_as<int64_t>(books.iq2_xs[load_as<uint16_t>(block + 2 + 8 * g + 2 * i) & 511]);
        };
        return _mm256_setr_epi64x(eight(0), eight(1), eight(2), eight(3));
    }

    static __m256i signs_of(const sign_table &t, const uint8_t *block, int g) {
        const auto eight = [&](int i) PANALLAMA_INLINE {
            return static_cast<int64_t>(t.signs[block[2 + 8 * g + 2 * i + 1] >> 1]);
        };
        return _mm256_setr_epi64x(eight(0), eight(1), eight(2), eight(3));
    }

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

template <> struct unpacker<format::iq3_xxs> : grid_unpacker<unpacker<format::iq3_xxs>> {
    static __m256i magnitudes(const uint8_t *block, int g) {
        const auto four = [&](int i) PANALLAMA_INLINE { return load_as<int32_t>(books.iq3_xxs[block[2 + 8 * g + i]]); };
        return _mm256_setr_epi32(four(0), four(1), four(2), four(3), four(4), four(5), four(6), four(7));
    }

    static __m256i signs_of(const sign_table &t, const uint8_t *block, int g) {
        return signs_by_fields(t, load_as<uint32_t>(block + 66 + 4 * g));
    }

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
