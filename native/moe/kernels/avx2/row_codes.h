// How a step of one row becomes vectors of 32 neighbouring weights, as rows.h multiplies them.
//
// LAYOUT  codes<J>() are the weights 32 J .. 32 J + 31 in the form of flavour.h; scales are per vector, or per half of
//         one where 16 weights share a scale
#pragma once

#include <algorithm>

#include "dot.h"
#include "unpack_iq.h"
#include "unpack_small.h"

namespace panallama::PANALLAMA_FLAVOUR {

// One step of a row; read() comes before everything else.
template <format F> struct row_source;

inline __m256i load_32(const uint8_t *p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)); }

inline __m128i load_16(const uint8_t *p) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(p)); }

inline float half_at(const uint8_t *p) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(load_as<uint16_t>(p)))); }

// 16 bytes of 4-bit codes: first the low, then the high ones.
inline __m256i nibbles_at(const uint8_t *p) {
    const __m256i twice = _mm256_broadcastsi128_si256(load_16(p));
    return and_bytes(_mm256_srlv_epi32(twice, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4)), 15);
}

inline __m256i book_of(const int8_t (&values)[16], int offset) {
    return _mm256_add_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(values))),
                           bytes_of(static_cast<uint8_t>(offset)));
}

// Formats of 32-weight blocks that begin with a half-precision scale.
template <int Bytes> struct row_of_small_blocks {
    const uint8_t *block;

    void read(const uint8_t *at) { block = at; }

    // The scales of all eight blocks.
    __m256 float_scales() const {
        const auto four = [this](int first) PANALLAMA_INLINE {
            const auto half = [=](int i) PANALLAMA_INLINE {
                return static_cast<uint64_t>(load_as<uint16_t>(block + Bytes * (first + i))) << 16 * i;
            };
            return static_cast<int64_t>(half(0) | half(1) | half(2) | half(3));
        };
        return _mm256_cvtph_ps(_mm_set_epi64x(four(4), four(0)));
    }
};

template <> struct row_source<format::q8_0> : row_of_small_blocks<34> {
    template <int J> __m256i codes() const {
        const __m256i q = load_32(block + 34 * J + 2);
        return has_vnni ? _mm256_xor_si256(q, bytes_of(0x80)) : q;
    }
};

template <> struct row_source<format::q5_0> : row_of_small_blocks<22> {
    template <int J> __m256i codes() const {
        const __m256i high = _mm256_set1_epi32(load_as<int32_t>(block + 22 * J + 2));
        const __m256i byte = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
        const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
        const __m256i chosen = _mm256_and_si256(_mm256_shuffle_epi8(high, byte), bit);
        return and_or(_mm256_cmpeq_epi8(chosen, bit), bytes_of(16), nibbles_at(block + 22 * J + 6));
    }
};

template <> struct row_source<format::iq4_nl> : row_of_small_blocks<18> {
    __m256i book = book_of(books.iq4, iq4_offset);

    template <int J> __m256i codes() const { return _mm256_shuffle_epi8(book, nibbles_at(block + 18 * J + 2)); }
};

// Integer scales of 32 weights each, given as dwords.
struct scales_per_32 {
    alignas(32) int32_t pairs[8];

    void set(__m256i lanes) {
        const __m256i twice = _mm256_blend_epi16(lanes, _mm256_slli_epi32(lanes, 16), 0xaa);
        _mm256_store_si256(reinterpret_cast<__m256i *>(pairs), twice);
    }

    __m256i at(int j) const { return _mm256_set1_epi32(pairs[j]); }
};

// Integer scales of 16 weights each.
struct scales_per_16 {
    __m256i words;  // scales 0, 2, 4, ... in the low, 1, 3, 5, ... in the high half

    // 16 bytes, unsigned
    void set(__m128i bytes) {
        const __m256i places =
            _mm256_set_epi64x(static_cast<int64_t>(0x800f800d800b8009u), static_cast<int64_t>(0x8007800580038001u),
                              static_cast<int64_t>(0x800e800c800a8008u), static_cast<int64_t>(0x8006800480028000u));
        words = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), places);
    }

    void set_signed(__m128i bytes) {
        set(bytes);
        words = _mm256_srai_epi16(_mm256_slli_epi16(words, 8), 8);
    }

    __m256i at(int j) const {
        return _mm256_shuffle_epi8(words, _mm256_set1_epi16(static_cast<int16_t>(0x0100 + 0x0202 * j)));
    }
};

template <> struct row_source<format::q5_k> {
    const uint8_t *block;
    scales_per_32 scales;
    __m256i mins;  // int16, zeros above the eight

    void read(const uint8_t *at) {
        block = at;
        const auto s = load_as<uint32_t>(at + 4);
        const auto m = load_as<uint32_t>(at + 8);
        const auto rest = load_as<uint32_t>(at + 12);
        constexpr uint32_t six = 0x3f3f3f3f, two = 0x30303030, four = 0x0f0f0f0f;
        const auto eight_bytes = [](uint32_t low, uint32_t high) {
            return _mm_cvtsi64_si128(static_cast<int64_t>(low | static_cast<uint64_t>(high) << 32));
        };
        scales.set(_mm256_cvtepu8_epi32(eight_bytes(s & six, (s >> 2 & two) | (rest & four))));
        mins = _mm256_cvtepu8_epi16(eight_bytes(m & six, (m >> 2 & two) | (rest >> 4 & four)));
    }

    float d() const { return half_at(block); }
    float min_scale() const { return half_at(block + 2); }

    template <int J> __m256i codes() const {
        const __m256i low = and_bytes(shift<-4 * (J % 2)>(load_32(block + 48 + 32 * (J / 2))), 15);
        return and_or(shift<4 - J>(load_32(block + 16)), bytes_of(16), low);
    }
};

template <> struct row_source<format::q6_k> {
    const uint8_t *block;
    scales_per_16 scales;

    void read(const uint8_t *at) {
        block = at;
        scales.set_signed(load_16(at + 192));
    }

    template <int J> __m256i codes() const {
        constexpr int n = J / 4, k = J % 4;
        const __m256i low = and_bytes(shift<-4 * (k / 2)>(load_32(block + 64 * n + 32 * (k % 2))), 15);
        return and_or(shift<4 - 2 * k>(load_32(block + 128 + 32 * n)), bytes_of(0x30), low);
    }

    float d() const { return half_at(block + 208); }
};

template <> struct row_source<format::q2_k> {
    const uint8_t *block;
    scales_per_16 scales;
    __m256i mins;

    void read(const uint8_t *at) {
        block = at;
        const __m128i both = load_16(at);
        const __m128i fifteen = _mm_set1_epi8(15);
        scales.set(_mm_and_si128(both, fifteen));
        mins = _mm256_cvtepu8_epi16(_mm_and_si128(_mm_srli_epi16(both, 4), fifteen));
    }

    template <int J> __m256i codes() const {
        return and_bytes(shift<-2 * (J % 4)>(load_32(block + 16 + 32 * (J / 4))), 3);
    }

    float d() const { return half_at(block + 80); }
    float min_scale() const { return half_at(block + 82); }
};

template <> struct row_source<format::q3_k> {
    const uint8_t *block;
    scales_per_16 scales;

    void read(const uint8_t *at) {
        block = at;
        const auto s0 = load_as<uint32_t>(at + 96);
        const auto s1 = load_as<uint32_t>(at + 100);
        const auto s2 = load_as<uint32_t>(at + 104);
        constexpr uint32_t two = 0x30303030, four = 0x0f0f0f0f;
        const auto eight_bytes = [](uint32_t low, uint32_t high) {
            return static_cast<int64_t>(low | static_cast<uint64_t>(high) << 32);
        };
        const __m128i six_bits =
            _mm_set_epi64x(eight_bytes((s0 >> 4 & four) | (s2 & two), (s1 >> 4 & four) | (s2 >> 2 & two)),
                           eight_bytes((s0 & four) | (s2 << 4 & two), (s1 & four) | (s2 << 2 & two)));
        scales.set_signed(_mm_sub_epi8(six_bits, _mm_set1_epi8(32)));
    }

    template <int J> __m256i codes() const {
        const __m256i low = and_bytes(shift<-2 * (J % 4)>(load_32(block + 32 + 32 * (J / 4))), 3);
        return and_or(shift<2 - J>(load_32(block)), bytes_of(4), low);
    }

    float d() const { return half_at(block + 108); }
};

template <> struct row_source<format::iq4_xs> {
    const uint8_t *block;
    __m256i book = book_of(books.iq4, iq4_offset);
    scales_per_32 scales;

    void read(const uint8_t *at) {
        block = at;
        const __m256i low = _mm256_srlv_epi32(_mm256_set1_epi32(load_as<int32_t>(at + 4)),
                                              _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
        const __m256i high = _mm256_srlv_epi32(_mm256_set1_epi32(load_as<uint16_t>(at + 2) << 4),
                                               _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
        const __m256i six_bits = and_or(high, _mm256_set1_epi32(0x30), _mm256_and_si256(low, _mm256_set1_epi32(15)));
        scales.set(_mm256_sub_epi32(six_bits, _mm256_set1_epi32(32)));
    }

    template <int J> __m256i codes() const { return _mm256_shuffle_epi8(book, nibbles_at(block + 8 + 16 * J)); }

    float d() const { return half_at(block); }
};

// Signs of several blocks are decoded at once, since from a block's bits to its products it takes longer than a core
// can look ahead. Zen 5, in cycles per 256 weights in the cache: IQ2_XS 38 instead of 52, IQ2_XXS 41 instead of 53.
template <format F> struct row_of_grid {
    static constexpr int blocks_at_once = 8;

    const uint8_t *block;
    const grid_signs *signs;
    grid_signs decoded[blocks_at_once];

    // Before each of a row's steps, of which `left` remain.
    void begin_step(const uint8_t *at, int s, int left) {
        signs = decoded + s % blocks_at_once;
        if (s % blocks_at_once > 0) return;
        for (int i = 0; i < std::min(left, blocks_at_once); i++) {
            grid_block<F>::read_signs(at + step_bytes(F) * i, decoded + i);
        }
    }

    template <int J> __m256i codes() const { return grid_block<F>::magnitudes(block, J); }
    template <int J> __m256i signs_of() const { return signs->at(J); }
};

template <> struct row_source<format::iq2_xxs> : row_of_grid<format::iq2_xxs> {
    scales_per_32 scales;

    void read(const uint8_t *at) {
        block = at;
        scales.set(odd_scale(_mm256_srli_epi32(grid_block<format::iq2_xxs>::words(at), 28)));
    }

    float d() const { return half_at(block) * 0.125f; }
};

template <> struct row_source<format::iq3_xxs> : row_of_grid<format::iq3_xxs> {
    scales_per_32 scales;

    void read(const uint8_t *at) {
        block = at;
        scales.set(odd_scale(_mm256_srli_epi32(grid_block<format::iq3_xxs>::words(at), 28)));
    }

    float d() const { return half_at(block) * 0.25f; }
};

template <> struct row_source<format::iq2_xs> : row_of_grid<format::iq2_xs> {
    scales_per_16 scales;

    void read(const uint8_t *at) {
        block = at;
        const __m128i nibbles = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(at + 66));
        const __m128i fifteen = _mm_set1_epi8(15);
        const __m128i s =
            _mm_unpacklo_epi8(_mm_and_si128(nibbles, fifteen), _mm_and_si128(_mm_srli_epi16(nibbles, 4), fifteen));
        scales.set(_mm_or_si128(_mm_add_epi8(s, s), _mm_set1_epi8(1)));
    }

    float d() const { return half_at(block) * 0.125f; }
};

}  // namespace panallama::PANALLAMA_FLAVOUR
