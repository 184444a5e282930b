#include <arm_neon.h>

#include "../repeat.h"
#include "flavour.h"
#include "kernels.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

int64_t multiply_adds(int64_t rounds) {
    constexpr int n = 24;  // sums that do not wait for each other
    const int8x16_t w = vdupq_n_s8(1);
    int32x4_t sum[n];
    repeat<n>([&](auto i) PANALLAMA_INLINE { sum[i] = vdupq_n_s32(0); });
    for (int64_t r = 0; r < rounds; r++) {
        repeat<n>([&](auto i) PANALLAMA_INLINE {
#ifdef __ARM_FEATURE_MATMUL_INT8
            sum[i] = vmmlaq_s32(sum[i], w, w);
#else
            sum[i] = vdotq_s32(sum[i], w, w);
#endif
            // Otherwise the compiler would multiply once.
            __asm__("" : "+w"(sum[i]));
        });
    }
    repeat<n - 1>([&](auto i) PANALLAMA_INLINE { sum[0] = vaddq_s32(sum[0], sum[i + 1]); });
    [[maybe_unused]] const volatile int used = vgetq_lane_s32(sum[0], 0);
#ifdef __ARM_FEATURE_MATMUL_INT8
    return rounds * n * 32;
#else
    return rounds * n * 16;
#endif
}

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
