// Tiles of the formats with 32-weight blocks: Q8_0, Q4_0, Q5_0, IQ4_NL, MXFP4.
#pragma once

#include "../codebook.h"
#include "tile.h"

namespace panallama::PANALLAMA_FLAVOUR {

template <int Bytes> struct small_blocks {
    static void scales(const tile_source &in, tile_scales *out) {
        repeat<8>([&](auto b) PANALLAMA_INLINE { out->block[b] = _mm256_cvtph_ps(in.load_words(Bytes * b)); });
    }
};

template <> struct unpacker<format::q8_0> : small_blocks<34> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<16>([&](auto i) PANALLAMA_INLINE { emit(i, in.load(34 * (i / 2) + 2 + 16 * (i % 2))); });
    }
};

template <> struct unpacker<format::q4_0> : small_blocks<18> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) PANALLAMA_INLINE {
            const quad codes = in.load(18 * b + 2);
            quad q;
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(codes.v[j], 15);
            emit(index<2 * b>{}, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(_mm256_srli_epi32(codes.v[j], 4), 15);
            emit(index<2 * b + 1>{}, q);
        });
    }
};

template <> struct unpacker<format::q5_0> : small_blocks<22> {
    // Bits 4 J .. 4 J + 3 of every dword, each as bit 4 of a byte.
    template <int J> static __m256i fifth_bits(__m256i v) {
        const __m256i bit = _mm256_set1_epi32(J % 2 == 0 ? 0x08040201 : static_cast<int>(0x80402010u));
        const __m256i spread = pick_bytes<0x01010101u * (J / 2)>(v);
        return and_bytes(_mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit), 16);
    }

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) PANALLAMA_INLINE {
            const __m256i high = in.load_dwords(22 * b + 2);
            const quad codes = in.load(22 * b + 6);
            quad q;
            repeat<4>([&](auto j) PANALLAMA_INLINE {
                q.v[j] = _mm256_or_si256(fifth_bits<j>(high), and_bytes(codes.v[j], 15));
            });
            emit(index<2 * b>{}, q);
            repeat<4>([&](auto j) PANALLAMA_INLINE {
                q.v[j] = _mm256_or_si256(fifth_bits<4 + j>(high), and_bytes(_mm256_srli_epi32(codes.v[j], 4), 15));
            });
            emit(index<2 * b + 1>{}, q);
        });
    }
};

// Four-bit codes that stand for the 16 values of a codebook.
class nibble_book {
  public:
    nibble_book(const int8_t (&values)[16], int offset)
        : table_(
              _mm256_add_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(values))),
                              bytes_of(static_cast<uint8_t>(offset)))) {}

    template <int B, class Emit> PANALLAMA_INLINE void emit_block(const quad &codes, Emit &&emit) const {
        quad q;
        for (int j = 0; j < 4; j++) q.v[j] = _mm256_shuffle_epi8(table_, and_bytes(codes.v[j], 15));
        emit(index<2 * B>{}, q);
        for (int j = 0; j < 4; j++) {
            q.v[j] = _mm256_shuffle_epi8(table_, and_bytes(_mm256_srli_epi32(codes.v[j], 4), 15));
        }
        emit(index<2 * B + 1>{}, q);
    }

  private:
    __m256i table_;
};

// AVX-VNNI takes these codes unsigned.
constexpr int iq4_offset = has_vnni ? codes_of(format::iq4_nl).offset : 0;

template <> struct unpacker<format::iq4_nl> : small_blocks<18> {
    nibble_book book{books.iq4, iq4_offset};

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) PANALLAMA_INLINE { book.emit_block<b>(in.load(18 * b + 2), emit); });
    }
};

// Half of 2^(e - 127), built as float bits; exponents 0 and 1 are subnormal.
inline __m256 exponent_scale(__m256i e) {
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    const __m256i tiny = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
    const __m256i is_tiny = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), e);
    return _mm256_castsi256_ps(_mm256_blendv_epi8(normal, tiny, is_tiny));
}

template <> struct unpacker<format::mxfp4> {
    nibble_book book{books.mxfp4, codes_of(format::mxfp4).offset};

    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto b) PANALLAMA_INLINE { book.emit_block<b>(in.load(17 * b + 1), emit); });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        repeat<8>([&](auto b) PANALLAMA_INLINE {
            const auto byte = [&](int r) PANALLAMA_INLINE { return static_cast<char>(*in.at(r, 17 * b)); };
            const __m256i e = _mm256_cvtepu8_epi32(_mm_setr_epi8(byte(0), byte(1), byte(2), byte(3), byte(4), byte(5),
                                                                 byte(6), byte(7), 0, 0, 0, 0, 0, 0, 0, 0));
            out->block[b] = exponent_scale(e);
        });
    }
};

}  // namespace panallama::PANALLAMA_FLAVOUR
