// Tiles of the formats with 32-weight blocks: Q8_0, Q4_0, Q5_0, IQ4_NL, MXFP4.
#pragma once

#include "../codebook.h"
#include "tile.h"

namespace panallama::avx512 {

// The eight scales of a step lie a block apart. Picking them out of each row's 64-byte parts takes a fifth of the
// instructions of loading every scale of every row.
//
// Words at First + Pitch * i of 64 bytes `a` and, for i >= Split, at that less `Skip` of 64 bytes `b`.
template <int Pitch, int Split, int Skip> inline __m128i pick_words(__m512i a, __m512i b) {
    constexpr auto word = [](int i) { return static_cast<int16_t>(i < Split ? Pitch * i : Pitch * i - Skip + 32); };
    const __m512i at =
        _mm512_castsi128_si512(_mm_setr_epi16(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7)));
    return _mm512_castsi512_si128(_mm512_permutex2var_epi16(a, at, b));
}

// The scales of a step's eight blocks.
template <int Bytes> inline __m128i block_halves(const uint8_t *p) {
    static_assert(Bytes == 18 || Bytes == 22 || Bytes == 34, "knows where these lie");
    const auto at = [p](int offset) { return _mm512_loadu_si512(p + offset); };
    if constexpr (Bytes == 18) {
        return pick_words<9, 4, 32>(at(0), at(64));
    } else if constexpr (Bytes == 22) {
        const __m128i six = pick_words<11, 3, 32>(at(0), at(64));
        const __m128i two = pick_words<11, 0, 56 - 32>(at(112), at(112));
        return _mm_blend_epi16(six, two, 0xc0);
    } else {
        const __m128i low = pick_words<17, 2, 32>(at(0), at(64));
        const __m128i high = pick_words<17, 6, 96>(at(128), at(192));
        return _mm_blend_epi16(low, high, 0xf0);
    }
}

// Halves of blocks 2 p and 2 p + 1 in every dword of vector p.
template <int Bytes> inline quad block_scales(const tile_source &in) {
    return tile_source::load_gathered([&](int r) { return block_halves<Bytes>(in.at(r, 0)); });
}

template <int Bytes> struct small_blocks {
    static void scales(const tile_source &in, tile_scales *out) {
        const quad pairs = block_scales<Bytes>(in);
        repeat<4>([&](auto p) {
            out->scale[2 * p] = low_half(pairs.v[p]);
            out->scale[2 * p + 1] = high_half(pairs.v[p]);
        });
    }
};

template <> struct unpacker<format::q8_0> : small_blocks<34> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) {
            tile_source::two_quads q = in.load_32(34 * b + 2);
            for (__m512i &v : q.low.v) v = _mm512_xor_si512(v, bytes_of(0x80));
            emit(index<2 * b>{}, q.low);
            for (__m512i &v : q.high.v) v = _mm512_xor_si512(v, bytes_of(0x80));
            emit(index<2 * b + 1>{}, q.high);
        });
    }
};

template <> struct unpacker<format::q4_0> : small_blocks<18> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) {
            const quad codes = in.load(b * 18 + 2);
            quad q;
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(codes.v[j], 15);
            emit(index<2 * b>{}, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(_mm512_srli_epi32(codes.v[j], 4), 15);
            emit(index<2 * b + 1>{}, q);
        });
    }
};

template <> struct unpacker<format::q5_0> : small_blocks<22> {
    // The 32 high bits of blocks 4 Half .. 4 Half + 3: two words after each scale.
    template <int Half> static quad high_bits(const tile_source &in) {
        constexpr int first = Half == 0 ? 0 : 44;  // word 44 is block 4
        const __m512i at = _mm512_castsi128_si512(_mm_setr_epi16(1, 2, 12, 13, 23, 24, 34 + 20, 35 + 20));
        return tile_source::load_gathered([&](int r) {
            return _mm512_castsi512_si128(_mm512_permutex2var_epi16(_mm512_loadu_si512(in.at(r, 2 * first)), at,
                                                                    _mm512_loadu_si512(in.at(r, 2 * first + 24))));
        });
    }

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m512i bit = bytes_of(16);
        repeat<2>([&](auto half) {
            const quad high = high_bits<half>(in);
            repeat<4>([&](auto i) {
                constexpr int b = 4 * half + i;
                const quad codes = in.load(b * 22 + 6);
                quad q;
                repeat<4>([&](auto j) {
                    q.v[j] = and_or(bit_fields<4 * j - 4, 1>(high.v[i]), bit, and_bytes(codes.v[j], 15));
                });
                emit(index<2 * b>{}, q);
                repeat<4>([&](auto j) {
                    q.v[j] = and_or(bit_fields<12 + 4 * j, 1>(high.v[i]), bit,
                                    and_bytes(_mm512_srli_epi32(codes.v[j], 4), 15));
                });
                emit(index<2 * b + 1>{}, q);
            });
        });
    }
};

// Four-bit codes that stand for the 16 values of a codebook.
class nibble_book {
  public:
    explicit nibble_book(const int8_t (&values)[16])
        : table_(_mm512_xor_si512(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i *>(values))),
                                  bytes_of(0x80))) {}

    // vpermb looks at six bits of a code, so the table repeats and the codes need no mask.
    template <int I, class Emit> void emit_block(const quad &codes, Emit &&emit) const {
        quad q;
        for (int j = 0; j < 4; j++) q.v[j] = _mm512_permutexvar_epi8(codes.v[j], table_);
        emit(index<2 * I>{}, q);
        for (int j = 0; j < 4; j++) q.v[j] = _mm512_permutexvar_epi8(_mm512_srli_epi32(codes.v[j], 4), table_);
        emit(index<2 * I + 1>{}, q);
    }

  private:
    __m512i table_;
};

template <> struct unpacker<format::iq4_nl> : small_blocks<18> {
    nibble_book book{books.iq4};

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) { book.emit_block<b>(in.load(b * 18 + 2), emit); });
    }
};

// MXFP4's exponents of a step's eight blocks.
inline __m128i block_exponents(const uint8_t *p) {
    const __m512i at = _mm512_castsi128_si512(_mm_setr_epi8(0, 17, 34, 51, 68, 85, 102, 119, 0, 0, 0, 0, 0, 0, 0, 0));
    return _mm512_castsi512_si128(_mm512_permutex2var_epi8(_mm512_loadu_si512(p), at, _mm512_loadu_si512(p + 64)));
}

// Half of 2^(e - 127), built as float bits; exponents 0 and 1 are subnormal.
inline __m512 exponent_scales(__m512i e) {
    const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
    const __m512i tiny = _mm512_sllv_epi32(_mm512_set1_epi32(0x00200000), e);
    const __mmask16 is_tiny = _mm512_cmplt_epi32_mask(e, _mm512_set1_epi32(2));
    return _mm512_castsi512_ps(_mm512_mask_mov_epi32(normal, is_tiny, tiny));
}

template <> struct unpacker<format::mxfp4> {
    nibble_book book{books.mxfp4};

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) { book.emit_block<b>(in.load(b * 17 + 1), emit); });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const quad exponents = tile_source::load_gathered([&](int r) { return block_exponents(in.at(r, 0)); });
        repeat<8>([&](auto b) {
            out->scale[b] = exponent_scales(
                _mm512_and_si512(_mm512_srli_epi32(exponents.v[b / 4], 8 * (b % 4)), _mm512_set1_epi32(255)));
        });
    }
};

}  // namespace panallama::avx512
