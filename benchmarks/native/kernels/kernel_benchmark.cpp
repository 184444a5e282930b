// Cycles of every format's kernels on one core, weights in its cache: how far the cores, rather than memory, limit
// them.
//
//   stream/<isa>/<format>             one column, as in decoding: cycles per 256 weights
//   prompt/<isa>/<format>/<columns>   multiply-adds per cycle, unpacking included
//
// of_peak is the fraction of the multiply-adds that the instruction set's own instruction reaches in registers, which
// bounds many columns; one column is bound by memory, and memory_benchmark has its fraction of that. Formats of floats
// are multiplied as floats, and have none.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "dispatch/kernel_table.h"
#include "random_weights.h"

using namespace panallama;

namespace {

constexpr int k = 4096;
constexpr int rows = 64;
constexpr int calls_per_round = 10;

double thread_seconds() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// Neither the shortest, which a misread clock makes too short, nor the mean, which other programs make too long.
double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// Cycles per second of this core, from a chain of dependent additions, one cycle each.
double measure_frequency() {
    std::vector<double> rounds;
    for (int round = 0; round < 50; round++) {
        constexpr uint64_t n = 2'000'000;
        uint64_t x = 1;
        const double start = thread_seconds();
        for (uint64_t i = 0; i < n; i++) {
            x += i;
            benchmark::DoNotOptimize(x);
        }
        const double took = thread_seconds() - start;
        rounds.push_back(static_cast<double>(n) / took);
    }
    return median(std::move(rounds));
}

// Multiply-adds per second of this core.
double measure_peak(const instruction_set &isa) {
    std::vector<double> rounds;
    for (int round = 0; round < 50; round++) {
        const double start = thread_seconds();
        const int64_t done = isa.multiply_adds(100'000);
        rounds.push_back(static_cast<double>(done) / (thread_seconds() - start));
    }
    return median(std::move(rounds));
}

template <class T> T *aligned(std::vector<uint8_t> *memory, size_t n) {
    memory->assign(n * sizeof(T) + 64, 0);
    return reinterpret_cast<T *>((reinterpret_cast<uintptr_t>(memory->data()) + 63) & ~uintptr_t{63});
}

void run(benchmark::State &state, const kernel *kern, format f, int columns, double frequency, double peak) {
    std::mt19937 random(1);
    const size_t row_bytes = static_cast<size_t>(step_bytes(f)) * (k / step);
    std::vector<uint8_t> weights(row_bytes * rows);
    random_weights(f, static_cast<int64_t>(weights.size()), random, weights.data());
    std::vector<uint8_t> activation_memory, scratch_memory;
    auto *activations = aligned<activation_step>(&activation_memory, static_cast<size_t>(k / step * columns));
    std::vector<float> x(static_cast<size_t>(k) * static_cast<size_t>(columns));
    std::normal_distribution<float> normal;
    std::vector<float> out(static_cast<size_t>(rows) * static_cast<size_t>(columns));
    std::vector<column> to;
    for (int c = 0; c < columns; c++) {
        float *own = x.data() + static_cast<size_t>(c) * k;
        for (int i = 0; i < k; i++) own[i] = normal(random);
        if (kern->quantize) kern->quantize(own, k, activations + c, columns);
        to.push_back({c, out.data() + static_cast<size_t>(c) * rows});
    }
    product p{};
    p.weights = weights.data();
    p.row_bytes = row_bytes;
    p.rows = rows;
    p.steps = k / step;
    p.activations = activations;
    p.source = {reinterpret_cast<const uint8_t *>(x.data()), 1, 0, k * sizeof(float)};
    p.tokens = columns;
    p.columns = to.data();
    p.n_columns = columns;
    p.scratch = aligned<uint8_t>(&scratch_memory, kern->scratch_bytes);
    p.next = weights.data();
    // In CPU time: other programs may share the core.
    std::vector<double> rounds;
    for (auto _ : state) {
        const double start = thread_seconds();
        for (int i = 0; i < calls_per_round; i++) kern->multiply(p);
        rounds.push_back(thread_seconds() - start);
    }
    const double took = median(std::move(rounds)) / calls_per_round;
    const double cycles = took * frequency;
    state.counters["cycles_per_256"] = cycles / (rows * k / 256.0);
    state.counters["macs_per_cycle"] = static_cast<double>(rows) * k * columns / cycles;
    if (kern->quantize) state.counters["of_peak"] = static_cast<double>(rows) * k * columns / took / peak;
}

}  // namespace

int main(int argc, char **argv) {
    benchmark::Initialize(&argc, argv);
    char why[256];
    if (!is_compatible(why, sizeof why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    const double frequency = measure_frequency();
    printf("core runs at %.2f GHz\n", frequency / 1e9);
    for (const instruction_set *isa = instruction_sets(); isa->name; isa++) {
        if (!isa->usable() || !is_accelerated(*isa)) continue;
        const double peak = measure_peak(*isa);
        printf("%s: %.1f multiply-adds per cycle\n", isa->name, peak / frequency);
        for (int i = 0; i < format_count; i++) {
            const auto f = static_cast<format>(i);
            const kernel *kern = isa->find(f);
            if (kern == nullptr) continue;
            const std::string name = std::string(isa->name) + "/" + shape_of(f).name;
            benchmark::RegisterBenchmark(("stream/" + name).c_str(),
                                         [=](benchmark::State &s) { run(s, kern, f, 1, frequency, peak); });
            for (const int columns : {2, 3, 4, 8, 32, 128}) {
                benchmark::RegisterBenchmark(("prompt/" + name + "/" + std::to_string(columns)).c_str(),
                                             [=](benchmark::State &s) { run(s, kern, f, columns, frequency, peak); });
            }
        }
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
