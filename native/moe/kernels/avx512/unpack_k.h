// Tiles of the K formats: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K.
#pragma once

#include "tile.h"

namespace panallama::avx512 {

// Q4_K and Q5_K: d and dmin, then eight scales and eight minimums of six bits in twelve bytes.
inline void k4_scales(const tile_source &in, tile_scales *out) {
    const quad head = in.load(0);
    const __m512 d = low_half(head.v[0]);
    out->min_scale = high_half(head.v[0]);
    const __m512i s = head.v[1];
    const __m512i m = head.v[2];
    const __m512i rest = head.v[3];
    const __m512i two = bytes_of(0x30);
    const __m512i four = bytes_of(0x0f);
    const __m512i scale_low = and_bytes(s, 63);
    const __m512i scale_high = and_or(_mm512_srli_epi32(s, 2), two, _mm512_and_si512(rest, four));
    const __m512i min_low = and_bytes(m, 63);
    const __m512i min_high = and_or(_mm512_srli_epi32(m, 2), two, _mm512_and_si512(_mm512_srli_epi32(rest, 4), four));
    const __m512i byte = _mm512_set1_epi32(255);
    repeat<4>([&](auto i) {
        out->scale[i] =
            _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(scale_low, 8 * i), byte)));
        out->scale[4 + i] =
            _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(scale_high, 8 * i), byte)));
    });
    out->mins[0] = byte_pair<0>(min_low);
    out->mins[1] = byte_pair<1>(min_low);
    out->mins[2] = byte_pair<0>(min_high);
    out->mins[3] = byte_pair<1>(min_high);
}

template <> struct unpacker<format::q4_k> {
    // Every 32 bytes hold 32 weights in their low and the next 32 in their high nibbles.
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const auto emit_both = [&](auto at, const quad &codes) {
            quad q;
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(codes.v[j], 15);
            emit(at, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(_mm512_srli_epi32(codes.v[j], 4), 15);
            emit(index<at + 2>{}, q);
        };
        repeat<4>([&](auto i) {
            const tile_source::two_quads codes = in.load_32(16 + 32 * i);
            emit_both(index<4 * i>{}, codes.low);
            emit_both(index<4 * i + 1>{}, codes.high);
        });
    }

    static void scales(const tile_source &in, tile_scales *out) { k4_scales(in, out); }
};

template <> struct unpacker<format::q5_k> {
    // As Q4_K, and bit g of the 32 high bytes belongs to the group g of 32 weights.
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m512i bit = bytes_of(16);
        repeat<2>([&](auto h) {
            const quad high = in.load(16 + 16 * h);
            repeat<4>([&](auto c) {
                const quad codes = in.load(48 + 32 * c + 16 * h);
                quad q;
                for (int j = 0; j < 4; j++) {
                    const __m512i up = 2 * c < 4 ? _mm512_slli_epi32(high.v[j], 2 * c < 4 ? 4 - 2 * c : 0)
                                                 : _mm512_srli_epi32(high.v[j], 2 * c < 4 ? 0 : 2 * c - 4);
                    q.v[j] = and_or(up, bit, and_bytes(codes.v[j], 15));
                }
                emit(index<4 * c + h>{}, q);
                for (int j = 0; j < 4; j++) {
                    const __m512i up = 2 * c + 1 < 4 ? _mm512_slli_epi32(high.v[j], 2 * c + 1 < 4 ? 3 - 2 * c : 0)
                                                     : _mm512_srli_epi32(high.v[j], 2 * c + 1 < 4 ? 0 : 2 * c - 3);
                    q.v[j] = and_or(up, bit, and_bytes(_mm512_srli_epi32(codes.v[j], 4), 15));
                }
                emit(index<4 * c + 2 + h>{}, q);
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) { k4_scales(in, out); }
};

template <> struct unpacker<format::q6_k> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m512i bits = bytes_of(0x30);
        repeat<4>([&](auto i) {
            constexpr int n = i / 2;  // half of the step
            constexpr int h = i % 2;
            const quad high = in.load(128 + 32 * n + 16 * h);
            const quad a = in.load(64 * n + 16 * h);
            const quad b = in.load(64 * n + 32 + 16 * h);
            quad q;
            for (int j = 0; j < 4; j++) q.v[j] = and_or(_mm512_slli_epi32(high.v[j], 4), bits, and_bytes(a.v[j], 15));
            emit(index<8 * n + h>{}, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_or(_mm512_slli_epi32(high.v[j], 2), bits, and_bytes(b.v[j], 15));
            emit(index<8 * n + 2 + h>{}, q);
            for (int j = 0; j < 4; j++) {
                q.v[j] = and_or(high.v[j], bits, and_bytes(_mm512_srli_epi32(a.v[j], 4), 15));
            }
            emit(index<8 * n + 4 + h>{}, q);
            for (int j = 0; j < 4; j++) {
                q.v[j] = and_or(_mm512_srli_epi32(high.v[j], 2), bits, and_bytes(_mm512_srli_epi32(b.v[j], 4), 15));
            }
            emit(index<8 * n + 6 + h>{}, q);
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const __m512 d = high_half(in.load_last(194));
        const quad s = in.load(192);
        repeat<16>(
            [&](auto g) { out->scale[g] = _mm512_mul_ps(d, _mm512_cvtepi32_ps(signed_byte<g % 4>(s.v[g / 4]))); });
    }
};

// Looks up code times scale for the codes 0..3: a dword of the table holds the products of one row, and vpshufb picks
// among the four rows of its 128-bit part.
inline __m512i product_of_code(__m512i products, __m512i codes) {
    const __m512i row = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c));
    return _mm512_shuffle_epi8(products, and_or(codes, bytes_of(3), row));
}

template <> struct unpacker<format::q2_k> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const quad scale = in.load(0);
        repeat<4>([&](auto i) {
            constexpr int n = i / 2;
            constexpr int h = i % 2;
            const quad codes = in.load(16 + 32 * n + 16 * h);
            repeat<4>([&](auto k) {
                constexpr int at = 8 * n + 2 * k + h;
                const __m512i s =
                    _mm512_and_si512(_mm512_srli_epi32(scale.v[at / 4], 8 * (at % 4)), _mm512_set1_epi32(15));
                const __m512i products = _mm512_mullo_epi32(s, _mm512_set1_epi32(0x03020100));
                quad q;
                for (int j = 0; j < 4; j++) q.v[j] = product_of_code(products, _mm512_srli_epi32(codes.v[j], 2 * k));
                emit(index<at>{}, q);
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const __m512i both = in.load_last(68);
        out->scale[0] = low_half(both);
        out->min_scale = high_half(both);
        const quad s = in.load(0);
        repeat<4>([&](auto i) {
            const __m512i mins = and_bytes(_mm512_srli_epi32(s.v[i], 4), 15);
            out->mins[2 * i] = byte_pair<0>(mins);
            out->mins[2 * i + 1] = byte_pair<1>(mins);
        });
    }
};

// Code times scale reaches +128 but not -128, so the tile holds 128 minus the product, and the scale is -d.
template <> struct unpacker<format::q3_k> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const quad end = in.load(94);  // two other bytes, twelve bytes of scales, d
        const __m512i s0 = _mm512_or_si512(_mm512_srli_epi32(end.v[0], 16), _mm512_slli_epi32(end.v[1], 16));
        const __m512i s1 = _mm512_or_si512(_mm512_srli_epi32(end.v[1], 16), _mm512_slli_epi32(end.v[2], 16));
        const __m512i s2 = _mm512_or_si512(_mm512_srli_epi32(end.v[2], 16), _mm512_slli_epi32(end.v[3], 16));
        const __m512i two = bytes_of(0x30);
        const __m512i minus_32 = bytes_of(32);
        const __m512i scale[4] = {
            _mm512_sub_epi8(and_or(_mm512_slli_epi32(s2, 4), two, and_bytes(s0, 15)), minus_32),
            _mm512_sub_epi8(and_or(_mm512_slli_epi32(s2, 2), two, and_bytes(s1, 15)), minus_32),
            _mm512_sub_epi8(and_or(s2, two, and_bytes(_mm512_srli_epi32(s0, 4), 15)), minus_32),
            _mm512_sub_epi8(and_or(_mm512_srli_epi32(s2, 2), two, and_bytes(_mm512_srli_epi32(s1, 4), 15)), minus_32),
        };
        repeat<2>([&](auto h) {
            const quad high = in.load(16 * h);
            repeat<2>([&](auto n) {
                const quad codes = in.load(32 + 32 * n + 16 * h);
                repeat<4>([&](auto k) {
                    constexpr int at = 8 * n + 2 * k + h;
                    const __m512i s = spread_byte<at % 4>(scale[at / 4]);
                    const __m512i s2x = _mm512_add_epi8(s, s);
                    const __m512i s4x = _mm512_add_epi8(s2x, s2x);
                    // Bytes 0, s, 2 s, 3 s of each dword.
                    const __m512i once = _mm512_and_si512(s, _mm512_set1_epi32(static_cast<int>(0xff00ff00u)));
                    const __m512i products =
                        _mm512_add_epi8(once, _mm512_and_si512(s2x, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
                    const __m512i table = _mm512_sub_epi8(bytes_of(128), products);
                    quad q;
                    for (int j = 0; j < 4; j++) {
                        const __m512i v = product_of_code(table, _mm512_srli_epi32(codes.v[j], 2 * k));
                        const __mmask64 lower =
                            _mm512_testn_epi8_mask(high.v[j], bytes_of(static_cast<uint8_t>(1 << (4 * n + k))));
                        q.v[j] = _mm512_mask_add_epi8(v, lower, v, s4x);
                    }
                    emit(index<at>{}, q);
                });
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const __m512 d = high_half(in.load_last(94));
        out->scale[0] = _mm512_sub_ps(_mm512_setzero_ps(), d);
    }
};

}  // namespace panallama::avx512
