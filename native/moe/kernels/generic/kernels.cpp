// SHAPES      any number of rows, columns and steps
// DEFINITION  kernel.h and plain_step.h, evaluated as written
// LAYOUT      none of its own: weights are read as they lie in the file
#include "kernels.h"

#include <cmath>
#include <cstring>

#include "../half.h"
#include "plain_step.h"

namespace panallama::generic {

namespace {

void quantize_step(const float *x, int n, const format_shape &shape, activation_step *out) {
    *out = {};
    const int width = shape.scale_per_32 ? 32 : step;
    for (int first = 0; first < n; first += width) {
        const int last = first + width < n ? first + width : n;
        float peak = 0;
        for (int i = first; i < last; i++) peak = std::fmax(peak, std::fabs(x[i]));
        const float scale = peak / 127.0f;
        const float inverse = scale > 0 ? 127.0f / peak : 0.0f;
        out->scale[first / width] = scale;
        for (int i = first; i < last; i++) {
            const float r = std::nearbyint(x[i] * inverse);
            out->q[i] = static_cast<int8_t>(r > 127.0f ? 127.0f : r > -127.0f ? r : -127.0f);
        }
    }
    for (int i = 0; i < step; i++) {
        out->bias[i / shape.group] -= shape.offset * out->q[i];
        if (shape.mins > 0) {
            int16_t &sum = out->sums[i / (step / shape.mins)];
            sum = static_cast<int16_t>(sum + out->q[i]);
        }
    }
}

template <format F> void quantize(const float *x, int64_t k, activation_step *out, int64_t stride) {
    for (int64_t i = 0; i * step < k; i++) {
        const int64_t left = k - i * step;
        quantize_step(x + i * step, left < step ? static_cast<int>(left) : step, shape_of(F), out + i * stride);
    }
}

float dot(const plain_step &w, const activation_step &a, const format_shape &shape) {
    float total = 0;
    for (int g = 0; g < step / shape.group; g++) {
        int32_t sum = 0;
        for (int i = 0; i < shape.group; i++) sum += w.q[g * shape.group + i] * a.q[g * shape.group + i];
        total += static_cast<float>(sum) * w.scale[g] * (shape.scale_per_32 ? a.scale[g] : 1.0f);
    }
    int32_t below = 0;
    for (int m = 0; m < shape.mins; m++) below += w.mins[m] * a.sums[m];
    if (shape.mins > 0) total -= static_cast<float>(below) * w.min_scale;
    return shape.scale_per_32 ? total : total * a.scale[0];
}

template <format F> void multiply(const product &p) {
    constexpr format_shape shape = shape_of(F);
    for (int r = 0; r < p.rows; r++) {
        for (int c = 0; c < p.n_columns; c++) p.columns[c].out[p.out_row + r] = 0;
        for (int s = 0; s < p.steps; s++) {
            const bool tail = s == p.steps - 1 && p.tail_blocks > 0;
            plain_step w;
            read_step(F, p.weights + static_cast<size_t>(r) * p.row_bytes + static_cast<size_t>(s) * step_bytes(F),
                      tail ? p.tail_blocks : 8, &w);
            for (int c = 0; c < p.n_columns; c++) {
                p.columns[c].out[p.out_row + r] += dot(w, p.activations[s * p.tokens + p.columns[c].token], shape);
            }
        }
    }
}

template <format F> float load_weight(const uint8_t *p) {
    if constexpr (F == format::f16) return load_half(p);
    uint16_t half;
    memcpy(&half, p, sizeof half);
    const uint32_t bits = static_cast<uint32_t>(half) << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

template <format F> void multiply_floats(const product &p) {
    const int k = p.steps * step - (p.tail_blocks > 0 ? step - 32 * p.tail_blocks : 0);
    for (int c = 0; c < p.n_columns; c++) {
        const float *x = p.source.at(p.columns[c].token);
        for (int r = 0; r < p.rows; r++) {
            const uint8_t *w = p.weights + static_cast<size_t>(r) * p.row_bytes;
            double sum = 0;
            for (int i = 0; i < k; i++) sum += static_cast<double>(load_weight<F>(w + 2 * i)) * x[i];
            p.columns[c].out[p.out_row + r] = static_cast<float>(sum);
        }
    }
}

template <format F> constexpr kernel make() {
    if constexpr (is_float(F)) return {16, 0, nullptr, multiply_floats<F>};
    return {16, 64, quantize<F>, multiply<F>};
}

constexpr kernel kernels[format_count] = {
    make<format::q8_0>(),   make<format::q4_0>(),    make<format::q5_0>(),   make<format::iq4_nl>(),
    make<format::mxfp4>(),  make<format::q2_k>(),    make<format::q3_k>(),   make<format::q4_k>(),
    make<format::q5_k>(),   make<format::q6_k>(),    make<format::iq4_xs>(), make<format::iq3_xxs>(),
    make<format::iq2_xs>(), make<format::iq2_xxs>(), make<format::f16>(),    make<format::bf16>(),
};

}  // namespace

const kernel *find(format f) { return &kernels[static_cast<int>(f)]; }

}  // namespace panallama::generic
