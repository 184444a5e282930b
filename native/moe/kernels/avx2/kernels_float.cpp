#include <immintrin.h>

#include <limits>

#include "../float_multiply.h"
#include "kernels_by_family.h"

namespace panallama::PANALLAMA_FLAVOUR {

namespace {

// Columns from which these kernels are faster than llama.cpp's with AVX-512 (Zen 5, two threads, k = 4096). Without
// experts its products of BF16 stay ahead, and its variants haswell and alderlake are ahead with 2 and 5 columns of F16
// (0.85 and 0.86 on one thread).
constexpr int never = std::numeric_limits<int>::max();

struct floats {
    using type = __m256;
    static constexpr int lanes = 8;
    static constexpr int rows = 3;  // 12 sums, three vectors of weights and one of activations in 16 registers
    static constexpr int columns = 4;

    static type zero() { return _mm256_setzero_ps(); }
    static type load(const float *p) { return _mm256_loadu_ps(p); }
    static type multiply_add(type a, type b, type c) { return _mm256_fmadd_ps(a, b, c); }

    static float add_lanes(type v) {
        __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        four = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
    }

    template <format F> static type weights(const uint8_t *p) {
        const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
        if constexpr (F == format::f16) return _mm256_cvtph_ps(bits);
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
    }
};

}  // namespace

const kernel *find_float(format f) {
    static constexpr kernel f16 = make_float_kernel<floats, format::f16>(32, 6);
    static constexpr kernel bf16 = make_float_kernel<floats, format::bf16>(32, never);
    switch (f) {
        case format::f16:
            return &f16;
        case format::bf16:
            return &bf16;
        default:
            return nullptr;
    }
}

}  // namespace panallama::PANALLAMA_FLAVOUR
