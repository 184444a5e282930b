// Cycles of every format's kernels on one core, weights in its cache: how far the cores, rather than memory, limit
// them.
//
//   stream/<isa>/<format>             one column, as in decoding: cycles per 256 weights
//   prompt/<isa>/<format>/<columns>   multiply-adds per cycle, unpacking included
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
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

// Cycles per second of this core, from a chain of dependent additions, one cycle each.
double measure_frequency() {
    double best = 0;
    for (int round = 0; round < 50; round++) {
        constexpr uint64_t n = 2'000'000;
        uint64_t x = 1;
        const double start = thread_seconds();
        for (uint64_t i = 0; i < n; i++) {
            x += i;
            benchmark::DoNotOptimize(x);
        }
        const double took = thread_seconds() - start;
        best = std::max(best, static_cast<double>(n) / took);
    }
    return best;
}

template <class T> T *aligned(std::vector<uint8_t> *memory, size_t n) {
    memory->assign(n * sizeof(T) + 64, 0);
    return reinterpret_cast<T *>((reinterpret_cast<uintptr_t>(memory->data()) + 63) & ~uintptr_t{63});
}

void run(benchmark::State &state, const kernel *kern, format f, int columns, double frequency) {
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
    // The shortest of many rounds, in CPU time: other programs may share the core and its caches.
    double best = 1e9;
    for (auto _ : state) {
        const double start = thread_seconds();
        for (int i = 0; i < calls_per_round; i++) kern->multiply(p);
        best = std::min(best, thread_seconds() - start);
    }
    const double cycles = best / calls_per_round * frequency;
    state.counters["cycles_per_256"] = cycles / (rows * k / 256.0);
    state.counters["macs_per_cycle"] = static_cast<double>(rows) * k * columns / cycles;
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
        for (int i = 0; i < format_count; i++) {
            const auto f = static_cast<format>(i);
            const kernel *kern = isa->find(f);
            if (kern == nullptr) continue;
            const std::string name = std::string(isa->name) + "/" + shape_of(f).name;
            benchmark::RegisterBenchmark(("stream/" + name).c_str(),
                                         [=](benchmark::State &s) { run(s, kern, f, 1, frequency); });
            for (const int columns : {2, 4, 8, 32, 128}) {
                benchmark::RegisterBenchmark(("prompt/" + name + "/" + std::to_string(columns)).c_str(),
                                             [=](benchmark::State &s) { run(s, kern, f, columns, frequency); });
            }
        }
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
