// The element-wise end of a gated feed-forward block.
//
// DEFINITION  out = g * curve(g) * (u + up_offset), where g = min(gate + gate_bias, limit) and
//             u = clamp(up + up_bias, -limit, limit); curve is
//             sigmoid  1 / (1 + exp(-alpha g)): SwiGLU, and gpt-oss' variant of it
//             gelu     the tanh approximation of GELU: GeGLU
//             relu     g > 0: ReGLU
#pragma once

#include <cmath>
#include <cstdint>

namespace panallama {

enum class gate_curve : uint8_t { sigmoid, gelu, relu };

struct gated_unit {
    gate_curve curve = gate_curve::sigmoid;
    float alpha = 1.0f;
    float limit = INFINITY;
    float up_offset = 0.0f;
};

// n results of one token.
struct gated_rows {
    const float *gate;
    const float *up;
    const float *gate_bias;  // null, like up_bias, when there are no biases
    const float *up_bias;
    float *out;
    int n;
};

using gate_function = void (*)(const gated_unit &unit, const gated_rows &rows);

}  // namespace panallama
