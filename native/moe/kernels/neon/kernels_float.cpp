#include <arm_neon.h>

#include <limits>

#include "../float_multiply.h"
#include "kernels_by_family.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

namespace {

// Without experts, llama.cpp multiplies blocks of F16 and BF16 in arithmetic of their own.
constexpr int never = std::numeric_limits<int>::max();

struct floats {
    using type = float32x4_t;
    static constexpr int lanes = 4;
    static constexpr int rows = 4;  // 24 sums, four vectors of weights and one of activations in 32 registers
    static constexpr int columns = 6;

    static type zero() { return vdupq_n_f32(0); }
    static type load(const float *p) { return vld1q_f32(p); }
    static type multiply_add(type a, type b, type c) { return vfmaq_f32(c, a, b); }
    static float add_lanes(type v) { return vaddvq_f32(v); }

    template <format F> static type weights(const uint8_t *p) {
        const uint16x4_t bits = vreinterpret_u16_u8(vld1_u8(p));
        if constexpr (F == format::f16) return vcvt_f32_f16(vreinterpret_f16_u16(bits));
        return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
    }
};

}  // namespace

const kernel *find_float(format f) {
    static constexpr kernel f16 = make_float_kernel<floats, format::f16>(1, never);
    static constexpr kernel bf16 = make_float_kernel<floats, format::bf16>(1, never);
    switch (f) {
        case format::f16:
            return &f16;
        case format::bf16:
            return &bf16;
        default:
            return nullptr;
    }
}

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
