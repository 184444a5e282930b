// Gated units on every instruction set of this machine: gate and up multiplied together must give what the same kernels
// give one after the other, but for the rounding of the unit, in every format, for any number of threads, and where the
// result is written over the activations. Also multiplications that go on with activations quantized before.
// PANALLAMA_FORCE_ISA names the only instruction set to test.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "backend/compatibility.h"
#include "backend/workspace.h"
#include "dispatch/kernel_table.h"
#include "dispatch/matmul.h"
#include "random_weights.h"

using namespace panallama;

namespace {

int failures = 0;

struct shape {
    int k, rows, experts, used, tokens, threads;
    gated_unit unit;
    bool biased;
    bool over_input;  // the result takes the place of the activations
};

const gated_unit swiglu{};
const gated_unit gpt_oss{gate_curve::sigmoid, 1.702f, 7.0f, 1.0f};
const gated_unit geglu{gate_curve::gelu};
const gated_unit reglu{gate_curve::relu};

const shape shapes[] = {
    {512, 33, 8, 2, 1, 2, swiglu, false, false},  {256, 7, 4, 4, 3, 3, gpt_oss, true, false},
    {1024, 100, 8, 2, 5, 5, reglu, true, false},  {768, 40, 128, 8, 33, 1, swiglu, false, true},
    {512, 31, 2, 2, 300, 4, swiglu, true, false}, {256, 65, 1, 1, 1, 2, geglu, false, true},
    {256, 16, 2, 1, 70, 2, swiglu, false, true},  {512, 130, 4, 2, 2, 2, gpt_oss, true, true},
};

double unit_of(const gated_unit &unit, double gate, double up) {
    const double g = std::fmin(gate, unit.limit);
    const double u = std::fmin(std::fmax(up, -unit.limit), unit.limit);
    switch (unit.curve) {
        case gate_curve::sigmoid:
            return g / (1 + std::exp(-unit.alpha * g)) * (u + unit.up_offset);
        case gate_curve::gelu:
            return 0.5 * g * (1 + std::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g * g * g))) * u;
        case gate_curve::relu:
            return std::fmax(g, 0) * u;
    }
    return NAN;
}

// One after another, by as many threads, as a graph's nodes are.
void run(const std::vector<matmul_shape> &shapes, int threads, workspace *memory) {
    matmul_needs most{};
    for (const matmul_shape &s : shapes) {
        const matmul_needs n = needs_of(s);
        most = {std::max(most.activation_steps, n.activation_steps), std::max(most.columns, n.columns),
                std::max(most.experts, n.experts), std::max(most.thread_bytes, n.thread_bytes)};
    }
    const matmul_memory *prepared = memory->prepare(most, threads);
    progress *start = memory->unbegun(shapes.size());
    for (const matmul_shape &s : shapes) {
        const matmul job(s, prepared, start++);
        std::vector<std::thread> pool;
        for (int t = 0; t < threads; t++) pool.emplace_back([&, t] { job.run(t, threads); });
        for (std::thread &t : pool) t.join();
    }
}

void fill(std::vector<float> *v, std::mt19937 *random, float scale) {
    std::normal_distribution<float> normal;
    for (float &x : *v) x = normal(*random) * scale;
}

void check(const instruction_set &isa, format f, const shape &s) {
    const size_t row_bytes = ggml_row_size(type_of(f), s.k);
    const size_t matrix = row_bytes * s.rows * s.experts;
    std::mt19937 random(static_cast<unsigned>(s.k + s.rows * 17 + s.tokens));
    std::vector<uint8_t> weights(2 * matrix);
    random_weights(f, static_cast<int64_t>(weights.size()), random, weights.data());
    std::vector<float> x(static_cast<size_t>(s.k) * s.tokens);
    fill(&x, &random, 0.3f);
    std::vector<int32_t> ids(static_cast<size_t>(s.used) * s.tokens);
    for (int t = 0; t < s.tokens; t++) {
        const int first = static_cast<int>(random() % s.experts);
        for (int u = 0; u < s.used; u++) ids[t * s.used + u] = (first + u) % s.experts;
    }
    std::vector<float> bias(2 * static_cast<size_t>(s.rows) * s.experts);
    fill(&bias, &random, 1.0f);

    const size_t results = static_cast<size_t>(s.rows) * s.used * s.tokens;
    std::vector<float> gate(results, NAN), up(results, NAN), out(std::max(results, x.size()) + 1, NAN);
    matmul_shape m{};
    m.kern = isa.find(f);
    m.weights_format = f;
    m.weights = weights.data();
    m.row_bytes = row_bytes;
    m.expert_bytes = row_bytes * s.rows;
    m.k = s.k;
    m.rows = s.rows;
    m.experts = s.experts;
    m.activations = reinterpret_cast<const uint8_t *>(x.data());
    m.slots = 1;
    m.tokens = s.tokens;
    m.slot_stride = m.token_stride = static_cast<size_t>(s.k) * sizeof(float);
    m.ids = reinterpret_cast<const uint8_t *>(ids.data());
    m.used = s.used;
    m.id_stride = sizeof(int32_t);
    m.id_token_stride = sizeof(int32_t) * s.used;
    m.out = reinterpret_cast<uint8_t *>(gate.data());
    m.out_slot_stride = sizeof(float) * s.rows;
    m.out_token_stride = sizeof(float) * s.rows * s.used;
    matmul_shape second = m;
    second.weights += matrix;
    second.out = reinterpret_cast<uint8_t *>(up.data());
    second.activations_ready = true;
    workspace memory;
    run({m, second}, s.threads, &memory);

    matmul_shape both = m;
    both.up = second.weights;
    both.unit = s.unit;
    both.gate = isa.gate;
    both.out = reinterpret_cast<uint8_t *>(out.data());
    if (s.biased) {
        both.gate_bias = reinterpret_cast<const uint8_t *>(bias.data());
        both.up_bias = both.gate_bias + bias.size() / 2 * sizeof(float);
        both.gate_bias_stride = both.up_bias_stride = sizeof(float) * s.rows;
    }
    if (s.over_input) {
        std::copy(x.begin(), x.end(), out.begin());
        both.activations = both.out;
        both.out_over_input = true;
    }
    run({both}, s.threads, &memory);

    double worst = 0;
    for (int t = 0; t < s.tokens; t++) {
        for (int u = 0; u < s.used; u++) {
            const float *gate_bias = bias.data() + static_cast<size_t>(ids[t * s.used + u]) * s.rows;
            const float *up_bias = gate_bias + bias.size() / 2;
            for (int r = 0; r < s.rows; r++) {
                const size_t i = (static_cast<size_t>(t) * s.used + u) * s.rows + r;
                const double expected =
                    unit_of(s.unit, gate[i] + (s.biased ? gate_bias[r] : 0.0f), up[i] + (s.biased ? up_bias[r] : 0.0f));
                const double error = std::fabs(out[i] - expected) / (std::fabs(expected) + 1e-6);
                worst = std::isnan(error) ? HUGE_VAL : std::fmax(worst, error);
            }
        }
    }
    if (worst > 2e-5) {
        printf("%s %s k=%d rows=%d experts=%d used=%d tokens=%d threads=%d: off by %.3g\n", isa.name, shape_of(f).name,
               s.k, s.rows, s.experts, s.used, s.tokens, s.threads, worst);
        failures++;
    }
}

// The unit alone, where an exponential may overflow, and at every place of a vector.
void check_extremes(const instruction_set &isa) {
    const float values[] = {0,     -0.0f,  1e-30f, -1e-6f, 0.5f,  -3,     17,       -30,
                            87.5f, -87.5f, 200,    -200,   1e30f, -1e30f, INFINITY, 5};
    constexpr int n = 61;
    for (const gated_unit &unit : {swiglu, gpt_oss, geglu, reglu}) {
        float gate[n], up[n], out[n + 1];
        for (int i = 0; i < n; i++) {
            gate[i] = values[i % 16];
            up[i] = values[i % 5] - 2;
        }
        for (int first = 0; first < n; first++) {
            out[n - first] = 42;
            isa.gate(unit, {gate + first, up + first, nullptr, nullptr, out, n - first});
            for (int i = 0; i < n - first; i++) {
                const double expected = unit_of(unit, gate[first + i], up[first + i]);
                const bool same = std::fabs(out[i] - expected) <= std::fabs(expected) * 1e-6 + 1e-30 ||
                                  out[i] == static_cast<float>(expected);
                if (same && out[n - first] == 42) continue;
                printf("%s: unit of %g and %g is %g, expected %g\n", isa.name, gate[first + i], up[first + i], out[i],
                       expected);
                failures++;
                return;
            }
        }
        const float nan = NAN, one = 1;
        float result = 0;
        isa.gate(unit, {&nan, &one, nullptr, nullptr, &result, 1});
        if (!std::isnan(result)) {
            printf("%s: a NaN is lost\n", isa.name);
            failures++;
        }
    }
}

}  // namespace

int main() {
    char why[256];
    if (!is_compatible(why, sizeof why)) {
        printf("%s\n", why);
        return 1;
    }
    const char *forced = getenv("PANALLAMA_FORCE_ISA");
    if (forced && choose_instruction_set(forced) == nullptr) {
        printf("%s: unknown, or not on this CPU\n", forced);
        return 1;
    }
    int checked = 0;
    for (const instruction_set *isa = instruction_sets(); isa->name; isa++) {
        if (!isa->usable() || (forced && strcmp(forced, isa->name) != 0)) continue;
        check_extremes(*isa);
        for (int i = 0; i < format_count; i++) {
            for (const shape &s : shapes) {
                const auto f = static_cast<format>(i);
                if (isa->find(f) == nullptr || (s.over_input && is_float(f))) continue;  // those are never fused
                check(*isa, f, s);
                checked++;
            }
        }
    }
    printf("%d cases, %d failures\n", checked, failures);
    return failures == 0 && checked > 0 ? 0 : 1;
}
