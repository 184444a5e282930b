// How much of the memory's bandwidth decoding uses: some tokens through experts that lie in memory, by way of the
// dispatcher, beside reading the same bytes and nothing else. One to eight tokens for each expert, as when answers are
// decoded together.
//
//   memory_benchmark THREADS [FORMAT...]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "dispatch/kernel_table.h"
#include "dispatch/matmul.h"
#include "random_weights.h"

using namespace panallama;

namespace {

constexpr size_t total_bytes = size_t{1} << 29;
constexpr int k = 4096;
constexpr int rows = 14336;
constexpr int rounds = 9;
constexpr int columns[] = {1, 2, 3, 4, 5, 6, 8};

// Seconds that `work(thread)` takes on all threads together, the median of some rounds.
double seconds(int threads, const std::function<void()> &prepare, const std::function<void(int)> &work) {
    std::vector<double> took;
    for (int round = 0; round < rounds; round++) {
        prepare();
        const auto start = std::chrono::steady_clock::now();
        std::vector<std::thread> pool;
        for (int t = 1; t < threads; t++) pool.emplace_back(work, t);
        work(0);
        for (std::thread &t : pool) t.join();
        took.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::nth_element(took.begin(), took.begin() + rounds / 2, took.end());
    return took[rounds / 2];
}

double read_seconds(const std::vector<uint8_t> &memory, int threads) {
    std::vector<uint64_t> sums(static_cast<size_t>(threads) * 8);
    return seconds(
        threads, [] {},
        [&](int t) {
            const size_t part = memory.size() / static_cast<size_t>(threads) / 64 * 64;
            uint64_t sum[8] = {};
            for (size_t i = 0; i < part; i += 64) {
                uint64_t v[8];
                memcpy(v, memory.data() + static_cast<size_t>(t) * part + i, 64);
                for (int j = 0; j < 8; j++) sum[j] += v[j];
            }
            for (int j = 0; j < 8; j++) sums[static_cast<size_t>(t * 8 + j)] = sum[j];
        });
}

void measure(format f, const kernel *kern, int tokens, std::vector<uint8_t> *memory, int threads) {
    std::mt19937 random(1);
    const size_t row_bytes = static_cast<size_t>(step_bytes(f)) * (k / step);
    const size_t expert_bytes = row_bytes * rows;
    const auto experts = static_cast<int>(memory->size() / expert_bytes);
    // Random bits are slow to make; the same ones serve for all rows.
    random_weights(f, static_cast<int64_t>(row_bytes * 64), random, memory->data());
    for (size_t at = row_bytes * 64; at < expert_bytes * static_cast<size_t>(experts); at += row_bytes * 64) {
        memcpy(memory->data() + at, memory->data(), row_bytes * 64);
    }
    std::vector<float> x(static_cast<size_t>(k) * static_cast<size_t>(tokens), 0.5f);
    std::vector<float> out(static_cast<size_t>(rows) * static_cast<size_t>(experts) * static_cast<size_t>(tokens));
    std::vector<matmul_shape> shapes;
    std::vector<int32_t> ids(static_cast<size_t>(experts));
    for (int e = 0; e < experts; e++) {
        ids[static_cast<size_t>(e)] = e;
        matmul_shape m{};
        m.kern = kern;
        m.weights_format = f;
        m.weights = memory->data();
        m.row_bytes = row_bytes;
        m.expert_bytes = expert_bytes;
        m.k = k;
        m.rows = rows;
        m.experts = experts;
        m.activations = reinterpret_cast<const uint8_t *>(x.data());
        m.slots = m.used = 1;
        m.tokens = tokens;
        m.token_stride = k * sizeof(float);
        m.ids = reinterpret_cast<const uint8_t *>(&ids[static_cast<size_t>(e)]);  // of every token: the stride is 0
        m.out = reinterpret_cast<uint8_t *>(out.data() + static_cast<size_t>(e * tokens) * rows);
        m.out_token_stride = rows * sizeof(float);
        shapes.push_back(m);
    }
    const matmul_needs needs = needs_of(shapes[0]);
    std::vector<std::vector<uint8_t>> own(static_cast<size_t>(threads));
    std::vector<uint8_t *> thread;
    for (auto &o : own) {
        o.resize(needs.thread_bytes + 64);
        thread.push_back(reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(o.data()) + 63) & ~uintptr_t{63}));
    }
    matmul_memory shared{};
    shared.thread = thread.data();
    shared.n_threads = threads;
    std::deque<progress> places;
    std::vector<matmul> jobs;
    const double took = seconds(
        threads,
        [&] {
            places.clear();
            jobs.clear();
            for (const matmul_shape &m : shapes) jobs.emplace_back(m, &shared, &places.emplace_back());
        },
        [&](int t) {
            for (const matmul &job : jobs) job.run(t, threads);
        });
    const double plain = read_seconds(*memory, threads) * static_cast<double>(expert_bytes * shapes.size()) /
                         static_cast<double>(memory->size());
    printf("%-8s %d columns %6.1f GB/s, %5.1f %% of reading\n", shape_of(f).name, tokens,
           static_cast<double>(expert_bytes * shapes.size()) / took * 1e-9, plain / took * 100);
}

}  // namespace

int main(int argc, char **argv) {
    char why[256];
    if (!is_compatible(why, sizeof why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    const int threads = argc > 1 ? std::max(1, atoi(argv[1])) : 1;
    const instruction_set *isa = choose_instruction_set(getenv("PANALLAMA_FORCE_ISA"));
    if (isa == nullptr) {
        fprintf(stderr, "no kernels for this CPU\n");
        return 1;
    }
    std::vector<uint8_t> memory(total_bytes);
    printf("%s, %d threads: reading %.1f GB/s\n", isa->name, threads,
           static_cast<double>(total_bytes) / read_seconds(memory, threads) * 1e-9);
    for (int i = 0; i < format_count; i++) {
        const auto f = static_cast<format>(i);
        const bool named = std::any_of(argv + std::min(argc, 2), argv + argc,
                                       [&](const char *name) { return strcmp(name, shape_of(f).name) == 0; });
        if (argc > 2 && !named) continue;
        if (const kernel *kern = isa->find(f)) {
            for (const int n : columns) measure(f, kern, n, &memory, threads);
        }
    }
    return 0;
}
