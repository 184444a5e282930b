#include <immintrin.h>

#include "../float_multiply.h"
#include "kernels_by_family.h"

namespace panallama::avx512 {

namespace {

struct floats {
    using type = __m512;
    static constexpr int lanes = 16;
    static constexpr int rows = 4;  // 24 sums, four vectors of weights and one of activations in 32 registers
    static constexpr int columns = 6;

    static type zero() { return _mm512_setzero_ps(); }
    static type load(const float *p) { return _mm512_loadu_ps(p); }
    static type multiply_add(type a, type b, type c) { return _mm512_fmadd_ps(a, b, c); }
    static float add_lanes(type v) { return _mm512_reduce_add_ps(v); }

    template <format F> static type weights(const uint8_t *p) {
        const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
        if constexpr (F == format::f16) return _mm512_cvtph_ps(bits);
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
    }
};

}  // namespace

const kernel *find_float(format f) {
    // From one column on, though llama.cpp is as fast with few: it rounds the activations to 16 bits and adds up in
    // another order, so that an answer would depend on how many tokens are computed at once.
    static constexpr kernel f16 = make_float_kernel<floats, format::f16>(1, 1);
    static constexpr kernel bf16 = make_float_kernel<floats, format::bf16>(1, 1);
    switch (f) {
        case format::f16:
            return &f16;
        case format::bf16:
            return &bf16;
        default:
            return nullptr;
    }
}

}  // namespace panallama::avx512
