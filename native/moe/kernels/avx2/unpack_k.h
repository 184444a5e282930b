// Tiles of the K formats: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K.
#pragma once

#include "tile.h"

namespace panallama::PANALLAMA_FLAVOUR {

// Q4_K and Q5_K: d and dmin, then eight scales and eight minimums of six bits in twelve bytes.
inline void k4_scales(const tile_source &in, tile_scales *out) {
    const quad head = in.load(0);
    out->super = half_of<0>(head.v[0]);
    out->min_scale = half_of<1>(head.v[0]);
    const __m256i s = head.v[1];
    const __m256i m = head.v[2];
    const __m256i rest = head.v[3];
    const __m256i two = bytes_of(0x30);
    const __m256i scale_low = and_bytes(s, 63);
    const __m256i scale_high = and_or(_mm256_srli_epi32(s, 2), two, and_bytes(rest, 15));
    const __m256i min_low = and_bytes(m, 63);
    const __m256i min_high = and_or(_mm256_srli_epi32(m, 2), two, and_bytes(_mm256_srli_epi32(rest, 4), 15));
    repeat<4>([&](auto i) PANALLAMA_INLINE {
        out->group[i] = unsigned_group_scale<i>(scale_low);
        out->group[4 + i] = unsigned_group_scale<i>(scale_high);
    });
    out->mins[0] = byte_pair<0>(min_low);
    out->mins[1] = byte_pair<1>(min_low);
    out->mins[2] = byte_pair<0>(min_high);
    out->mins[3] = byte_pair<1>(min_high);
}

template <> struct unpacker<format::q4_k> {
    // Every 32 bytes hold 32 weights in their low and the next 32 in their high nibbles.
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<8>([&](auto i) PANALLAMA_INLINE {
            constexpr int at = 4 * (i / 2) + i % 2;
            const quad codes = in.load(16 + 16 * i);
            quad q;
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(codes.v[j], 15);
            emit(index<at>{}, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_bytes(_mm256_srli_epi32(codes.v[j], 4), 15);
            emit(index<at + 2>{}, q);
        });
    }

    static void scales(const tile_source &in, tile_scales *out) { k4_scales(in, out); }
};

template <> struct unpacker<format::q5_k> {
    // As Q4_K, and bit g of the 32 high bytes belongs to the group g of 32 weights.
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m256i bit = bytes_of(16);
        repeat<2>([&](auto h) PANALLAMA_INLINE {
            const quad high = in.load(16 + 16 * h);
            repeat<4>([&](auto c) PANALLAMA_INLINE {
                const quad codes = in.load(48 + 32 * c + 16 * h);
                quad q;
                for (int j = 0; j < 4; j++)
                    q.v[j] = and_or(shift<4 - 2 * c>(high.v[j]), bit, and_bytes(codes.v[j], 15));
                emit(index<4 * c + h>{}, q);
                for (int j = 0; j < 4; j++) {
                    q.v[j] = and_or(shift<3 - 2 * c>(high.v[j]), bit, and_bytes(_mm256_srli_epi32(codes.v[j], 4), 15));
                }
                emit(index<4 * c + 2 + h>{}, q);
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) { k4_scales(in, out); }
};

template <> struct unpacker<format::q6_k> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m256i bits = bytes_of(0x30);
        repeat<4>([&](auto i) PANALLAMA_INLINE {
            constexpr int n = i / 2;  // half of the step
            constexpr int h = i % 2;
            const quad high = in.load(128 + 32 * n + 16 * h);
            const quad a = in.load(64 * n + 16 * h);
            const quad b = in.load(64 * n + 32 + 16 * h);
            quad q;
            for (int j = 0; j < 4; j++) q.v[j] = and_or(shift<4>(high.v[j]), bits, and_bytes(a.v[j], 15));
            emit(index<8 * n + h>{}, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_or(shift<2>(high.v[j]), bits, and_bytes(b.v[j], 15));
            emit(index<8 * n + 2 + h>{}, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_or(high.v[j], bits, and_bytes(shift<-4>(a.v[j]), 15));
            emit(index<8 * n + 4 + h>{}, q);
            for (int j = 0; j < 4; j++) q.v[j] = and_or(shift<-2>(high.v[j]), bits, and_bytes(shift<-4>(b.v[j]), 15));
            emit(index<8 * n + 6 + h>{}, q);
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        out->super = half_of<1>(in.load_last(194));
        const quad s = in.load(192);
        repeat<16>([&](auto g) PANALLAMA_INLINE { out->group[g] = signed_group_scale<g % 4>(s.v[g / 4]); });
    }
};

template <> struct unpacker<format::q2_k> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        repeat<4>([&](auto i) PANALLAMA_INLINE {
            constexpr int n = i / 2;
            constexpr int h = i % 2;
            const quad codes = in.load(16 + 32 * n + 16 * h);
            repeat<4>([&](auto k) PANALLAMA_INLINE {
                quad q;
                for (int j = 0; j < 4; j++) q.v[j] = and_bytes(shift<-2 * k>(codes.v[j]), 3);
                emit(index<8 * n + 2 * k + h>{}, q);
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const __m256i both = in.load_last(68);
        out->super = half_of<0>(both);
        out->min_scale = half_of<1>(both);
        const quad s = in.load(0);
        repeat<4>([&](auto i) PANALLAMA_INLINE {
            const __m256i scale = and_bytes(s.v[i], 15);
            const __m256i mins = and_bytes(_mm256_srli_epi32(s.v[i], 4), 15);
            repeat<4>([&](auto j) PANALLAMA_INLINE { out->group[4 * i + j] = unsigned_group_scale<j>(scale); });
            out->mins[2 * i] = byte_pair<0>(mins);
            out->mins[2 * i + 1] = byte_pair<1>(mins);
        });
    }
};

template <> struct unpacker<format::q3_k> {
    template <class Emit> void weights(const tile_source &in, Emit &&emit) const {
        const __m256i bit = bytes_of(4);
        repeat<2>([&](auto h) PANALLAMA_INLINE {
            const quad high = in.load(16 * h);
            repeat<2>([&](auto n) PANALLAMA_INLINE {
                const quad codes = in.load(32 + 32 * n + 16 * h);
                repeat<4>([&](auto k) PANALLAMA_INLINE {
                    quad q;
                    for (int j = 0; j < 4; j++) {
                        q.v[j] = and_or(shift<2 - 4 * n - k>(high.v[j]), bit, and_bytes(shift<-2 * k>(codes.v[j]), 3));
                    }
                    emit(index<8 * n + 2 * k + h>{}, q);
                });
            });
        });
    }

    static void scales(const tile_source &in, tile_scales *out) {
        const quad end = in.load(94);  // two other bytes, twelve bytes of scales, d
        out->super = half_of<1>(end.v[3]);
        const auto dword = [&](int i) PANALLAMA_INLINE {
            return _mm256_or_si256(_mm256_srli_epi32(end.v[i], 16), _mm256_slli_epi32(end.v[i + 1], 16));
        };
        const __m256i s0 = dword(0);
        const __m256i s1 = dword(1);
        const __m256i s2 = dword(2);
        const __m256i two = bytes_of(0x30);
        const __m256i minus_32 = bytes_of(32);
        const __m256i scale[4] = {
            _mm256_sub_epi8(and_or(shift<4>(s2), two, and_bytes(s0, 15)), minus_32),
            _mm256_sub_epi8(and_or(shift<2>(s2), two, and_bytes(s1, 15)), minus_32),
            _mm256_sub_epi8(and_or(s2, two, and_bytes(shift<-4>(s0), 15)), minus_32),
            _mm256_sub_epi8(and_or(shift<-2>(s2), two, and_bytes(shift<-4>(s1), 15)), minus_32),
        };
        repeat<16>([&](auto g) PANALLAMA_INLINE { out->group[g] = signed_group_scale<g % 4>(scale[g / 4]); });
    }
};

}  // namespace panallama::PANALLAMA_FLAVOUR
