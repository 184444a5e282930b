// Weights and activations as large as a format allows, on every instruction set of this machine: sums that are too
// narrow anywhere would saturate or wrap around, which random weights hardly ever make them do.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "backend/compatibility.h"
#include "dispatch/kernel_table.h"
#include "random_weights.h"

using namespace panallama;

namespace {

constexpr int k = 512;
constexpr int rows = 19;
constexpr int most_columns = 13;

// Activations of one magnitude are quantized without an error, to 127 or -127.
float activation(int pattern, int i) {
    switch (pattern) {
        case 0:
            return 1;
        case 1:
            return -1;
        default:
            return i / pattern % 2 == 0 ? 1 : -1;
    }
}

template <class T> T *aligned(std::vector<uint8_t> *memory, size_t n) {
    memory->assign(n * sizeof(T) + 64, 0);
    return reinterpret_cast<T *>((reinterpret_cast<uintptr_t>(memory->data()) + 63) & ~uintptr_t{63});
}

// Every byte the same, but for the scales that are floats.
std::vector<uint8_t> filled_weights(format f, uint8_t byte) {
    const format_shape shape = shape_of(f);
    std::vector<uint8_t> weights(static_cast<size_t>(step_bytes(f)) * (k / step) * rows, byte);
    const scale_offsets scales = half_scales_of(f);
    for (size_t b = 0; b < weights.size(); b += static_cast<size_t>(shape.block_bytes)) {
        for (int i = 0; i < scales.count; i++) {
            weights[b + static_cast<size_t>(scales.at[i])] = 0;
            weights[b + static_cast<size_t>(scales.at[i]) + 1] = 0x2c;
        }
        if (f == format::mxfp4) weights[b] = 124;
    }
    return weights;
}

bool check(const instruction_set &isa, format f, uint8_t byte, int pattern, int columns) {
    const kernel *kern = isa.find(f);
    if (kern == nullptr || is_float(f)) return true;
    const std::vector<uint8_t> weights = filled_weights(f, byte);
    std::vector<float> dequantized(static_cast<size_t>(k) * rows);
    ggml_get_type_traits(type_of(f))->to_float(weights.data(), dequantized.data(), k * rows);
    std::vector<float> x(k);
    for (int i = 0; i < k; i++) x[static_cast<size_t>(i)] = activation(pattern, i);

    std::vector<uint8_t> activation_memory, scratch_memory;
    auto *activations = aligned<activation_step>(&activation_memory, static_cast<size_t>(k / step * columns));
    std::vector<float> out(static_cast<size_t>(rows) * static_cast<size_t>(columns), NAN);
    std::vector<column> to;
    for (int c = 0; c < columns; c++) {
        kern->quantize(x.data(), k, activations + c, columns);
        to.push_back({c, out.data() + static_cast<size_t>(c) * rows});
    }
    product p{};
    p.weights = weights.data();
    p.row_bytes = static_cast<size_t>(step_bytes(f)) * (k / step);
    p.rows = rows;
    p.steps = k / step;
    p.activations = activations;
    p.tokens = columns;
    p.columns = to.data();
    p.n_columns = columns;
    p.scratch = aligned<uint8_t>(&scratch_memory, kern->scratch_bytes);
    kern->multiply(p);

    for (int r = 0; r < rows; r++) {
        double expected = 0;
        double magnitude = 0;
        for (int i = 0; i < k; i++) {
            const double w = dequantized[static_cast<size_t>(r * k + i)];
            expected += w * x[static_cast<size_t>(i)];
            magnitude += std::fabs(w);
        }
        for (int c = 0; c < columns; c++) {
            const double got = to[static_cast<size_t>(c)].out[r];
            if (!(std::fabs(got - expected) <= 1e-5 * magnitude)) {
                printf("%s %s: bytes %02x, activations %d, %d columns: %g instead of %g\n", isa.name, shape_of(f).name,
                       byte, pattern, columns, got, expected);
                return false;
            }
        }
    }
    return true;
}

}  // namespace

int main() {
    char why[256];
    if (!is_compatible(why, sizeof why)) {
        printf("%s\n", why);
        return 1;
    }
    int failures = 0;
    for (const instruction_set *isa = instruction_sets(); isa->name; isa++) {
        if (!isa->usable()) continue;
        for (int i = 0; i < format_count; i++) {
            for (const int byte : {0x00, 0x08, 0x0f, 0x3f, 0x70, 0x7f, 0x80, 0x81, 0x88, 0xf0, 0xff}) {
                for (const int pattern : {0, 1, 2, 4, 16, 32}) {
                    for (const int columns : {1, 2, 3, 4, 5, 7, most_columns}) {
                        failures +=
                            check(*isa, static_cast<format>(i), static_cast<uint8_t>(byte), pattern, columns) ? 0 : 1;
                    }
                }
            }
        }
        printf("%s: %d failures\n", isa->name, failures);
    }
    return failures == 0 ? 0 : 1;
}
