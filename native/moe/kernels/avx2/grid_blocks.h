// Blocks of the formats that name four or eight neighbouring weights by an index into a grid of magnitudes: IQ3_XXS,
// IQ2_XS, IQ2_XXS.
//
// DEFINITION  the weights 32 g .. 32 g + 31 of a block are magnitudes(block, g) times its signs' at(g)
#pragma once

#include <cstring>

#include "../codebook.h"
#include "tile.h"

namespace panallama::PANALLAMA_FLAVOUR {

template <class T> inline T load_as(const uint8_t *p) {
    T v;
    memcpy(&v, p, sizeof v);
    return v;
}

// The signs of a block's weights. Of eight, seven are stored, a bit each; the last makes the number of negative ones
// even.
class grid_signs {
  public:
    // Dword g has those of group g in four fields of seven bits, the lowest first.
    void set_fields(__m256i dwords) {
        const auto field = [&](auto i) PANALLAMA_INLINE {
            return _mm256_and_si256(shift<i>(dwords), _mm256_set1_epi32(0x7f << 8 * i));
        };
        set(_mm256_or_si256(_mm256_or_si256(field(index<0>{}), field(index<1>{})),
                            _mm256_or_si256(field(index<2>{}), field(index<3>{}))));
    }

    // The upper seven bits of words, of which `first` has 16 and `second` the next.
    void set_words(__m256i first, __m256i second) {
        const __m256i bytes = _mm256_packus_epi16(_mm256_srli_epi16(first, 9), _mm256_srli_epi16(second, 9));
        set(_mm256_permute4x64_epi64(bytes, 0xd8));
    }

    // As +1 and -1.
    __m256i at(int g) const {
        const __m256i byte = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
        const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
        const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(of_group_[g]), byte);
        return _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit), bytes_of(1));
    }

  private:
    void set(__m256i seven) {
        const __m256i odd = _mm256_broadcastsi128_si256(
            _mm_setr_epi8(0, -128, -128, 0, -128, 0, 0, -128, -128, 0, 0, -128, 0, -128, -128, 0));
        const __m256i both_nibbles = and_bytes(_mm256_xor_si256(seven, _mm256_srli_epi32(seven, 4)), 15);
        const __m256i eight = _mm256_or_si256(seven, _mm256_shuffle_epi8(odd, both_nibbles));
        _mm256_store_si256(reinterpret_cast<__m256i *>(of_group_), eight);
    }

    alignas(32) int32_t of_group_[8];
};

template <format F> struct grid_block;

template <> struct grid_block<format::iq2_xxs> {
    // Of each group: the fields of its signs, and its scale in the upper four bits.
    static __m256i words(const uint8_t *block) {
        const __m256 a = _mm256_loadu_ps(reinterpret_cast<const float *>(block + 2));
        const __m256 b = _mm256_loadu_ps(reinterpret_cast<const float *>(block + 34));
        const __m256i of_groups = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));  // 0 1 4 5 2 3 6 7
        return _mm256_permute4x64_epi64(of_groups, 0xd8);
    }

    static void read_signs(const uint8_t *block, grid_signs *out) { out->set_fields(words(block)); }

    static __m256i magnitudes(const uint8_t *block, int g) {
        const auto eight = [=](int i)
                               PANALLAMA_INLINE { return load_as<int64_t>(books.iq2_xxs[block[2 + 8 * g + i]]); };
        return _mm256_setr_epi64x(eight(0), eight(1), eight(2), eight(3));
    }
};

template <> struct grid_block<format::iq3_xxs> {
    // As for IQ2_XXS.
    static __m256i words(const uint8_t *block) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(block + 66));
    }

    static void read_signs(const uint8_t *block, grid_signs *out) { out->set_fields(words(block)); }

    static __m256i magnitudes(const uint8_t *block, int g) {
        const auto four = [=](int i) PANALLAMA_INLINE { return load_as<int32_t>(books.iq3_xxs[block[2 + 8 * g + i]]); };
        return _mm256_setr_epi32(four(0), four(1), four(2), four(3), four(4), four(5), four(6), four(7));
    }
};

template <> struct grid_block<format::iq2_xs> {
    static void read_signs(const uint8_t *block, grid_signs *out) {
        const auto *words = reinterpret_cast<const __m256i *>(block + 2);
        out->set_words(_mm256_loadu_si256(words), _mm256_loadu_si256(words + 1));
    }

    static __m256i magnitudes(const uint8_t *block, int g) {
        const auto eight = [=](int i) PANALLAMA_INLINE {
            return load_as<int64_t>(books.iq2_xs[load_as<uint16_t>(block + 2 + 8 * g + 2 * i) & 511]);
        };
        return _mm256_setr_epi64x(eight(0), eight(1), eight(2), eight(3));
    }
};

}  // namespace panallama::PANALLAMA_FLAVOUR
