#pragma once

#include <immintrin.h>

#include <cstdint>

namespace panallama::avx512 {

// Fetches the rows after the present ones in one ascending stream, an equal part with every step. Rows side by side are
// as many streams at once, which memory serves slower; from a cache they cost nothing.
template <_mm_hint Cache> struct read_ahead {
    const uint8_t *at;

    template <int Bytes> void advance() {
        for (int i = 0; i < Bytes; i += 64) _mm_prefetch(reinterpret_cast<const char *>(at + i), Cache);
        at += Bytes;
    }

    void advance(int lines) {
        for (int i = 0; i < lines; i++, at += 64) _mm_prefetch(reinterpret_cast<const char *>(at), Cache);
    }
};

}  // namespace panallama::avx512
