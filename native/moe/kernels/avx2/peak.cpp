#include "dot.h"
#include "kernels.h"

namespace panallama::PANALLAMA_FLAVOUR {

// AVX2's sums are of 16 bits, as the kernels have them of small codes: nothing takes fewer instructions.
int64_t multiply_adds(int64_t rounds) {
    constexpr int n = has_vnni ? 12 : 8;  // sums that do not wait for each other
    const __m256i w = _mm256_set1_epi8(1);
    __m256i sum[n];
    repeat<n>([&](auto i) PANALLAMA_INLINE { sum[i] = _mm256_setzero_si256(); });
    for (int64_t r = 0; r < rounds; r++) {
        repeat<n>([&](auto i) PANALLAMA_INLINE {
            if constexpr (has_vnni) {
                add_dot_8(sum[i], w, w);
            } else {
                add_brief(sum[i], w, w);
            }
        });
    }
    repeat<n - 1>([&](auto i) PANALLAMA_INLINE { sum[0] = _mm256_add_epi32(sum[0], sum[i + 1]); });
    [[maybe_unused]] const volatile int used = _mm256_cvtsi256_si32(sum[0]);
    return rounds * n * 32;
}

}  // namespace panallama::PANALLAMA_FLAVOUR
