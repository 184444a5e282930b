#include "peak.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace panallama {

namespace {

constexpr double shortest_round = 0.02;  // seconds, in which starting threads is nothing
constexpr int measured_rounds = 8;

}  // namespace

double peak_multiply_adds(const instruction_set &isa, int threads) {
    if (isa.multiply_adds == nullptr) return 0;
    double best = 0;
    int64_t n = 1 << 16;
    for (int measured = 0; measured < measured_rounds;) {
        const auto start = std::chrono::steady_clock::now();
        std::vector<std::thread> others;
        for (int t = 1; t < threads; t++) others.emplace_back(isa.multiply_adds, n);
        const int64_t done = isa.multiply_adds(n) * threads;
        for (std::thread &t : others) t.join();
        const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (took < shortest_round) {
            n *= 2;
            continue;
        }
        best = std::max(best, static_cast<double>(done) / took);
        measured++;
    }
    return best;
}

}  // namespace panallama
