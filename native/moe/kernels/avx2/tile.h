// How 8 rows of weights become vectors whose lane r belongs to row r.
//
// LAYOUT  A tile is 8 rows by one step of 256 weights. A quad is 16 weights of each row, as four vectors: byte 4 r + i
// of
//         vector j is the code of weight 4 j + i of row r (flavour.h). No sum across lanes is ever needed.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "../repeat.h"
#include "flavour.h"

namespace panallama::PANALLAMA_FLAVOUR {

constexpr int tile_rows = 8;

struct quad {
    __m256i v[4];
};

// What turns the integer sums of a tile's step into floats.
struct tile_scales {
    __m256 block[8];    // formats of 32-weight blocks: each block's scale
    __m256i group[16];  // formats of 256-weight blocks: see group_scale()
    __m256 super;       // their scale of all groups
    __m256 min_scale;
    __m256i mins[8];  // pairs of int16: minimums 2 p and 2 p + 1
};

// weights(source, emit) calls emit(index<i>{}, quad) once for each quad i of a step, in the order that suits the
// format; scales(source, out) reads the rest.
template <format F> struct unpacker;

// r0 holds 16 bytes each of rows 0 and 4, r1 of rows 1 and 5, and so on.
inline quad transpose(__m256i r0, __m256i r1, __m256i r2, __m256i r3) {
    const __m256i t0 = _mm256_unpacklo_epi32(r0, r1);
    const __m256i t1 = _mm256_unpackhi_epi32(r0, r1);
    const __m256i t2 = _mm256_unpacklo_epi32(r2, r3);
    const __m256i t3 = _mm256_unpackhi_epi32(r2, r3);
    return {{_mm256_unpacklo_epi64(t0, t2), _mm256_unpackhi_epi64(t0, t2), _mm256_unpacklo_epi64(t1, t3),
             _mm256_unpackhi_epi64(t1, t3)}};
}

// The 8 rows of a tile.
class tile_source {
  public:
    tile_source(const uint8_t *first, size_t row_bytes) {
        repeat<tile_rows>([&](auto r) PANALLAMA_INLINE {
            rows_[r] = first + r * row_bytes;
#ifdef __GNUC__
            // Eight registers suffice; what GCC 12 knows of their values it uses to keep hundreds of sums in memory.
            __asm__("" : "+r"(rows_[r]));
#endif
        });
    }

    const uint8_t *at(int r, int offset) const { return rows_[r] + offset; }

    __m128i row(int r, int offset) const { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(at(r, offset))); }

    // Rows j and 4 + j.
    __m256i rows(int j, int offset) const {
        return _mm256_inserti128_si256(_mm256_castsi128_si256(row(j, offset)), row(4 + j, offset), 1);
    }

    // 16 bytes of every row: lane r of vector j is dword j of row r.
    quad load(int offset) const {
        return transpose(rows(0, offset), rows(1, offset), rows(2, offset), rows(3, offset));
    }

    // The first dword of 16 readable bytes of every row.
    __m256i load_first(int offset) const {
        return _mm256_unpacklo_epi64(_mm256_unpacklo_epi32(rows(0, offset), rows(1, offset)),
                                     _mm256_unpacklo_epi32(rows(2, offset), rows(3, offset)));
    }

    // The last dword of 16 readable bytes of every row.
    __m256i load_last(int offset) const {
        return _mm256_unpackhi_epi64(_mm256_unpackhi_epi32(rows(0, offset), rows(1, offset)),
                                     _mm256_unpackhi_epi32(rows(2, offset), rows(3, offset)));
    }

    // The word at `offset` of every row.
    __m128i load_words(int offset) const {
        const auto word = [&](int r) PANALLAMA_INLINE {
            int16_t w;
            __builtin_memcpy(&w, at(r, offset), 2);
            return w;
        };
        return _mm_setr_epi16(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7));
    }

    // The four bytes at `offset` of every row.
    __m256i load_dwords(int offset) const {
        const auto dword = [&](int r) PANALLAMA_INLINE {
            int32_t w;
            __builtin_memcpy(&w, at(r, offset), 4);
            return w;
        };
        return _mm256_setr_epi32(dword(0), dword(1), dword(2), dword(3), dword(4), dword(5), dword(6), dword(7));
    }

  private:
    const uint8_t *rows_[tile_rows];
};

inline __m256i bytes_of(uint8_t b) { return _mm256_set1_epi8(static_cast<char>(b)); }

inline __m256i and_bytes(__m256i v, uint8_t b) { return _mm256_and_si256(v, bytes_of(b)); }

// (a & mask) | b
inline __m256i and_or(__m256i a, __m256i mask, __m256i b) { return _mm256_or_si256(_mm256_and_si256(a, mask), b); }

// Shifts dwords left by N bits, or right when N is negative.
template <int N> inline __m256i shift(__m256i v) {
    if constexpr (N > 0) return _mm256_slli_epi32(v, N);
    if constexpr (N < 0) return _mm256_srli_epi32(v, -N);
    return v;
}

// Each dword becomes the bytes that `Control` names by their place in it, 0x80 for a zero.
template <uint32_t Control> inline __m256i pick_bytes(__m256i v) {
    constexpr auto of_lane = [](uint32_t lane) {
        uint32_t control = 0;
        for (unsigned i = 0; i < 32; i += 8) {
            const uint32_t b = Control >> i & 255;
            control |= (b == 0x80 ? b : b + 4 * lane) << i;
        }
        return static_cast<int>(control);
    };
    return _mm256_shuffle_epi8(v, _mm256_setr_epi32(of_lane(0), of_lane(1), of_lane(2), of_lane(3), of_lane(0),
                                                    of_lane(1), of_lane(2), of_lane(3)));
}

// Bytes 2 P and 2 P + 1 of every dword as a pair of int16.
template <int P> inline __m256i byte_pair(__m256i v) { return pick_bytes<0x80018000u + 0x00020002u * P>(v); }

// Word `Half` of every dword, as half-precision.
template <int Half> inline __m256 half_of(__m256i v) {
    constexpr char b = 2 * Half;
    const __m256i words =
        _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(_mm_setr_epi8(b, b + 1, b + 4, b + 5, b + 8, b + 9, b + 12,
                                                                         b + 13, -1, -1, -1, -1, -1, -1, -1, -1)));
    return _mm256_cvtph_ps(_mm256_castsi256_si128(_mm256_permute4x64_epi64(words, 0x08)));
}

// The integer scale of a group, as the sums are multiplied by it: a pair of equal int16 for AVX2, a float for AVX-VNNI.
inline __m256i group_scale(__m256i lanes) {
    if constexpr (has_vnni) return _mm256_castps_si256(_mm256_cvtepi32_ps(lanes));
    return _mm256_blend_epi16(lanes, _mm256_slli_epi32(lanes, 16), 0xaa);
}

// The same, of byte B of every dword.
template <unsigned B> inline __m256i unsigned_group_scale(__m256i v) {
    if constexpr (has_vnni) return group_scale(pick_bytes<0x80808000u | B>(v));
    return pick_bytes<0x80008000u | B << 16 | B>(v);
}

template <unsigned B> inline __m256i signed_group_scale(__m256i v) {
    if constexpr (has_vnni) return group_scale(_mm256_srai_epi32(pick_bytes<0x00808080u | B << 24>(v), 24));
    return _mm256_srai_epi16(pick_bytes<0x00800080u | B << 24 | B << 8>(v), 8);
}

}  // namespace panallama::PANALLAMA_FLAVOUR
