#include "kernels.h"
#include "tile.h"

namespace panallama::avx512 {

int64_t multiply_adds(int64_t rounds) {
    constexpr int n = 24;  // sums that do not wait for each other
    const __m512i w = _mm512_set1_epi8(1);
    __m512i sum[n];
    repeat<n>([&](auto i) PANALLAMA_INLINE { sum[i] = _mm512_setzero_si512(); });
    for (int64_t r = 0; r < rounds; r++) repeat<n>([&](auto i) PANALLAMA_INLINE { add_dot(sum[i], w, w); });
    repeat<n - 1>([&](auto i) PANALLAMA_INLINE { sum[0] = _mm512_add_epi32(sum[0], sum[i + 1]); });
    [[maybe_unused]] const volatile int used = _mm512_cvtsi512_si32(sum[0]);
    return rounds * n * 64;
}

}  // namespace panallama::avx512
