#include "weighted_sum.h"

#include <algorithm>
#include <cstring>

namespace panallama {

namespace {

constexpr int64_t block = 256;  // sums that stay in the first-level cache while the experts are added

}  // namespace

void weighted_sum::run(int thread, int threads) const {
    const int64_t per_token = (rows + block - 1) / block;
    const int64_t blocks = per_token * tokens;
    for (int64_t b = blocks * thread / threads; b < blocks * (thread + 1) / threads; b++) {
        const auto t = static_cast<size_t>(b / per_token);
        const int64_t first = b % per_token * block;
        const int64_t n = std::min(block, rows - first);
        float sum[block];
        for (int u = 0; u < used; u++) {
            const auto slot = static_cast<size_t>(u);
            const auto *x = reinterpret_cast<const float *>(in + t * in_token_stride + slot * in_slot_stride) + first;
            const float w =
                *reinterpret_cast<const float *>(weights + t * weight_token_stride + slot * weight_slot_stride);
            if (u == 0) {
                for (int64_t i = 0; i < n; i++) sum[i] = x[i] * w;
            } else {
                for (int64_t i = 0; i < n; i++) sum[i] += x[i] * w;
            }
        }
        memcpy(reinterpret_cast<float *>(out + t * out_token_stride) + first, sum,
               static_cast<size_t>(n) * sizeof(float));
    }
}

}  // namespace panallama
