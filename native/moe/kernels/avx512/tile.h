// How 16 rows of weights become vectors whose lane r belongs to row r.
//
// LAYOUT  A tile is 16 rows by one step of 256 weights. A quad is 16 weights of each row, as four vectors: byte 4 r + i
//         of vector j is weight 4 j + i of row r, made unsigned. vpdpbusd then adds up four weights of 16 rows at once
//         against four activations that are the same for all lanes: no sum across lanes is ever needed.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "../format.h"
#include "../repeat.h"

namespace panallama::avx512 {

constexpr int tile_rows = 16;

struct quad {
    __m512i v[4];
};

// What turns the integer sums of a tile's step into floats.
struct tile_scales {
    __m512 scale[16];  // per group
    __m512 min_scale;
    __m512i mins[8];  // pairs of int16: minimums 2 p and 2 p + 1
};

// weights(source, emit) calls emit(index<i>{}, quad) once for each quad i of a step, in the order that suits the
// format; scales(source, out) reads the rest.
template <format F> struct unpacker;

// The 16 rows of a tile.
struct tile_source {
    const uint8_t *first;
    size_t row_bytes;

    const uint8_t *at(int r, int offset) const { return first + static_cast<size_t>(r) * row_bytes + offset; }

    __m128i row(int r, int offset) const { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(at(r, offset))); }

    // Rows j, 4 + j, 8 + j, 12 + j.
    __m512i rows(int j, int offset) const {
        __m512i z = _mm512_castsi128_si512(row(j, offset));
        z = _mm512_inserti32x4(z, row(4 + j, offset), 1);
        z = _mm512_inserti32x4(z, row(8 + j, offset), 2);
        return _mm512_inserti32x4(z, row(12 + j, offset), 3);
    }

    // 16 bytes of every row: lane r of vector j is dword j of row r.
    quad load(int offset) const {
        return transpose(rows(0, offset), rows(1, offset), rows(2, offset), rows(3, offset));
    }

    __m256i row_32(int r, int offset) const {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(at(r, offset)));
    }

    __m512i rows_32(int r, int offset) const {
        return _mm512_inserti64x4(_mm512_castsi256_si512(row_32(r, offset)), row_32(r + 4, offset), 1);
    }

    // 32 bytes of every row, as load() twice, with half of its loads and four fifths of its shuffles.
    struct two_quads {
        quad low, high;
    };
    two_quads load_32(int offset) const {
        const quad a = transpose(rows_32(0, offset), rows_32(1, offset), rows_32(2, offset), rows_32(3, offset));
        const quad b = transpose(rows_32(8, offset), rows_32(9, offset), rows_32(10, offset), rows_32(11, offset));
        two_quads out;
        for (int j = 0; j < 4; j++) {
            out.low.v[j] = _mm512_shuffle_i32x4(a.v[j], b.v[j], 0x88);
            out.high.v[j] = _mm512_shuffle_i32x4(a.v[j], b.v[j], 0xdd);
        }
        return out;
    }

    // As load(), of the 16 bytes that `gather` makes of each row's number.
    template <class Gather> static quad load_gathered(Gather &&gather) {
        const auto rows_of = [&](int j) {
            __m512i z = _mm512_castsi128_si512(gather(j));
            z = _mm512_inserti32x4(z, gather(4 + j), 1);
            z = _mm512_inserti32x4(z, gather(8 + j), 2);
            return _mm512_inserti32x4(z, gather(12 + j), 3);
        };
        return transpose(rows_of(0), rows_of(1), rows_of(2), rows_of(3));
    }

    // r0 holds 16 bytes each of rows 0, 4, 8, 12; r1 of rows 1, 5, 9, 13; and so on.
    static quad transpose(__m512i r0, __m512i r1, __m512i r2, __m512i r3) {
        const __m512i t0 = _mm512_unpacklo_epi32(r0, r1);
        const __m512i t1 = _mm512_unpackhi_epi32(r0, r1);
        const __m512i t2 = _mm512_unpacklo_epi32(r2, r3);
        const __m512i t3 = _mm512_unpackhi_epi32(r2, r3);
        return {{_mm512_unpacklo_epi64(t0, t2), _mm512_unpackhi_epi64(t0, t2), _mm512_unpacklo_epi64(t1, t3),
                 _mm512_unpackhi_epi64(t1, t3)}};
    }

    // The first dword of 16 readable bytes of every row.
    __m512i load_first(int offset) const {
        return _mm512_unpacklo_epi64(_mm512_unpacklo_epi32(rows(0, offset), rows(1, offset)),
                                     _mm512_unpacklo_epi32(rows(2, offset), rows(3, offset)));
    }

    // The last dword of 16 readable bytes of every row.
    __m512i load_last(int offset) const {
        return _mm512_unpackhi_epi64(_mm512_unpackhi_epi32(rows(0, offset), rows(1, offset)),
                                     _mm512_unpackhi_epi32(rows(2, offset), rows(3, offset)));
    }
};

inline __m512 low_half(__m512i v) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v)); }

inline __m512 high_half(__m512i v) { return low_half(_mm512_srli_epi32(v, 16)); }

inline __m512i bytes_of(uint8_t b) { return _mm512_set1_epi8(static_cast<char>(b)); }

inline __m512i and_bytes(__m512i v, uint8_t b) { return _mm512_and_si512(v, bytes_of(b)); }

// sum += products of four unsigned bytes of w and four signed bytes of x, per dword. As assembly, since GCC copies the
// sums around the intrinsic in every iteration of a loop (12.2: a third of the instructions).
inline void add_dot(__m512i &sum, __m512i w, __m512i x) {
#if defined(__GNUC__)
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(w), "vm"(x));
#else
    sum = _mm512_dpbusd_epi32(sum, w, x);
#endif
}

// sum += products of two int16 each, per dword.
inline void add_dot_16(__m512i &sum, __m512i w, __m512i x) {
#if defined(__GNUC__)
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(w), "v"(x));
#else
    sum = _mm512_dpwssd_epi32(sum, w, x);
#endif
}

// (a & mask) | b
inline __m512i and_or(__m512i a, __m512i mask, __m512i b) { return _mm512_ternarylogic_epi32(a, mask, b, 0xea); }

// Byte B of every dword, as a signed integer.
template <int B> inline __m512i signed_byte(__m512i v) {
    return _mm512_srai_epi32(B == 3 ? v : _mm512_slli_epi32(v, 24 - 8 * B), 24);
}

// Bytes 2 P and 2 P + 1 of every dword as a pair of int16.
template <int P> inline __m512i byte_pair(__m512i v) {
    constexpr int32_t pick = static_cast<int32_t>(0x80008000u | static_cast<unsigned>(2 * P + 1) << 16 | 2 * P);
    const __m512i control = _mm512_add_epi32(
        _mm512_set1_epi32(pick), _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0x00040004, 0x00080008, 0x000c000c)));
    return _mm512_shuffle_epi8(v, control);
}

// Byte B of every dword in all its four bytes.
template <int B> inline __m512i spread_byte(__m512i v) {
    const __m512i control =
        _mm512_add_epi32(_mm512_set1_epi32(B * 0x01010101),
                         _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c)));
    return _mm512_shuffle_epi8(v, control);
}

// Byte i of every dword becomes the eight bits of that dword that begin at bit `first + pitch * i`.
template <int First, int Pitch> inline __m512i bit_fields(__m512i v) {
    constexpr uint64_t at = [] {
        uint64_t control = 0;
        for (unsigned i = 0; i < 8; i++) {
            const int bit = First + Pitch * static_cast<int>(i % 4) + (i < 4 ? 0 : 32);
            control |= static_cast<uint64_t>(bit & 63) << 8 * i;
        }
        return control;
    }();
    return _mm512_multishift_epi64_epi8(_mm512_set1_epi64(static_cast<int64_t>(at)), v);
}

}  // namespace panallama::avx512
