// Every format on every instruction set of this machine, against the dequantized weights in double precision;
// llama.cpp's own vec_dot is measured beside it, and ours may not be further off. PANALLAMA_FORCE_ISA names the only
// instruction set to test, which then has to be there.
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <random>
#include <thread>
#include <vector>

#include "backend/compatibility.h"
#include "backend/stock_variant.h"
#include "dispatch/kernel_table.h"
#include "dispatch/matmul.h"
#include "ggml-cpu.h"
#include "random_weights.h"

using namespace panallama;

namespace {

int failures = 0;

struct shape {
    int k, rows, experts, used, tokens, threads;
    bool shared_slot;  // all experts of a token read the same activations
    enum { spread, all_on_one, one_empty } routing;
};

constexpr shape shapes[] = {
    {256, 16, 1, 1, 1, 1, true, shape::spread},      {512, 48, 2, 1, 1, 1, true, shape::spread},
    {512, 33, 8, 2, 1, 2, true, shape::spread},      {256, 7, 4, 2, 3, 3, false, shape::one_empty},
    {1024, 100, 8, 2, 5, 2, true, shape::spread},    {512, 32, 8, 8, 2, 5, false, shape::spread},
    {256, 65, 3, 1, 17, 4, true, shape::all_on_one}, {768, 40, 128, 8, 33, 2, true, shape::spread},
    {512, 31, 2, 2, 300, 3, false, shape::spread},   {256, 5, 2, 1, 70, 16, true, shape::all_on_one},
    {2816, 17, 4, 2, 6, 2, true, shape::one_empty},  {512, 3, 4, 2, 40, 9, true, shape::spread},
};

// Batch sizes, each as one small matrix: kernels differ by the number of columns. The large ones are for one format of
// each family, whose others share that code.
constexpr int batches[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,   10,  11,   12,  13,
                           14, 15, 16, 17, 31, 32, 33, 64, 127, 512, 1024, 4096};
constexpr int largest_batch_of_all = 127;
constexpr format families[] = {format::q8_0, format::q4_k, format::iq2_xxs, format::f16};

constexpr shape batch_shape(int tokens) { return {256, 35, 1, 1, tokens, 2, true, shape::spread}; }

struct errors {
    double squared = 0, reference = 0, worst = 0;

    void add(double got, double expected) {
        const double e = std::isfinite(got) ? std::fabs(got - expected) : HUGE_VAL;
        squared += e * e;
        reference += expected * expected;
        worst = std::fmax(worst, e);
    }
    void add(const errors &more) {
        squared += more.squared / more.reference;
        reference += 1;
        worst = std::fmax(worst, more.worst);
    }
    double nmse() const { return squared / reference; }
};

struct comparison {
    errors ours, stock;
};

void *aligned(std::vector<uint8_t> &v, size_t bytes) {
    v.assign(bytes + 64, 0xff);
    return reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(v.data()) + 63) & ~uintptr_t{63});
}

void check(const instruction_set &isa, format f, const shape &s, int extra_k,
           const ggml_type_traits_cpu *(*stock)(ggml_type), comparison *all) {
    const int k = s.k + extra_k;
    const kernel *kern = isa.find(f);
    if (kern == nullptr) return;
    const ggml_type type = type_of(f);
    const size_t row_bytes = ggml_row_size(type, k);
    std::mt19937 random(static_cast<unsigned>(k * 131 + s.rows * 17 + s.tokens));
    const size_t n_rows = static_cast<size_t>(s.rows) * s.experts;
    // Exactly as large as the rows: a read past them is a fault of the address sanitizer.
    std::vector<uint8_t> weights(row_bytes * n_rows);
    random_weights(f, static_cast<int64_t>(weights.size()), random, weights.data());
    std::vector<float> dequantized(static_cast<size_t>(k) * n_rows);
    ggml_get_type_traits(type)->to_float(weights.data(), dequantized.data(), static_cast<int64_t>(dequantized.size()));

    const int slots = s.shared_slot ? 1 : s.used;
    const size_t stride = static_cast<size_t>(k) + 8;  // padding that must not be read
    std::vector<float> x(stride * slots * s.tokens, NAN);
    std::normal_distribution<float> normal;
    for (int i = 0; i < slots * s.tokens; i++) {
        for (int j = 0; j < k; j++) x[i * stride + j] = normal(random) * (j % 97 == 0 ? 8.0f : 1.0f);
    }
    std::vector<int32_t> ids(static_cast<size_t>(s.used) * s.tokens);
    for (int t = 0; t < s.tokens; t++) {
        const int usable = s.routing == shape::one_empty ? s.experts - 1 : s.experts;
        int first = static_cast<int>(random() % usable);
        for (int u = 0; u < s.used; u++) {
            ids[t * s.used + u] = s.routing == shape::all_on_one ? s.experts - 1 : (first + u) % usable;
        }
    }
    const size_t out_stride = static_cast<size_t>(s.rows) + 3;
    std::vector<float> out(out_stride * s.used * s.tokens, 1e30f);

    matmul_shape m{};
    m.kern = kern;
    m.weights_format = f;
    m.weights = weights.data();
    m.row_bytes = row_bytes;
    m.expert_bytes = row_bytes * s.rows;
    m.k = k;
    m.rows = s.rows;
    m.experts = s.experts;
    m.activations = reinterpret_cast<const uint8_t *>(x.data());
    m.slots = slots;
    m.tokens = s.tokens;
    m.slot_stride = stride * sizeof(float);
    m.token_stride = stride * sizeof(float) * slots;
    m.ids = reinterpret_cast<const uint8_t *>(ids.data());
    m.used = s.used;
    m.id_stride = sizeof(int32_t);
    m.id_token_stride = sizeof(int32_t) * s.used;
    m.out = reinterpret_cast<uint8_t *>(out.data());
    m.out_slot_stride = out_stride * sizeof(float);
    m.out_token_stride = out_stride * sizeof(float) * s.used;

    const matmul_needs needs = needs_of(m);
    std::vector<uint8_t> activations, columns, begin, cursor;
    std::vector<std::vector<uint8_t>> own(s.threads);
    std::vector<uint8_t *> thread;
    for (auto &o : own) thread.push_back(static_cast<uint8_t *>(aligned(o, needs.thread_bytes)));
    const matmul_memory memory{
        static_cast<activation_step *>(aligned(activations, needs.activation_steps * sizeof(activation_step))),
        static_cast<column *>(aligned(columns, needs.columns * sizeof(column))),
        static_cast<int32_t *>(aligned(begin, (needs.experts + 1) * sizeof(int32_t))),
        static_cast<int32_t *>(aligned(cursor, needs.experts * sizeof(int32_t))),
        thread.data(),
        s.threads};
    progress start;
    matmul job(m, &memory, &start);
    std::vector<std::thread> pool;
    for (int t = 0; t < s.threads; t++) pool.emplace_back([&, t] { job.run(t, s.threads); });
    for (auto &t : pool) t.join();

    const ggml_type_traits_cpu *own_traits = stock(type);
    const ggml_type_traits_cpu *x_traits = stock(own_traits->vec_dot_type);
    std::vector<uint8_t> quantized(ggml_row_size(own_traits->vec_dot_type, k));
    errors ours, theirs;
    for (int t = 0; t < s.tokens; t++) {
        for (int u = 0; u < s.used; u++) {
            const float *xs = &x[(t * slots + u % slots) * stride];
            x_traits->from_float(xs, quantized.data(), k);
            for (int r = 0; r < s.rows; r++) {
                const size_t row = static_cast<size_t>(ids[t * s.used + u]) * s.rows + r;
                double expected = 0;
                for (int j = 0; j < k; j++) expected += static_cast<double>(dequantized[row * k + j]) * xs[j];
                float stock_result = 0;
                own_traits->vec_dot(k, &stock_result, 0, weights.data() + row * row_bytes, 0, quantized.data(), 0, 1);
                ours.add(out[(t * s.used + u) * out_stride + r], expected);
                theirs.add(stock_result, expected);
            }
            for (size_t r = s.rows; r < out_stride; r++) {
                if (out[(t * s.used + u) * out_stride + r] != 1e30f) {
                    printf("%s %s: wrote past the end of a result row\n", isa.name, shape_of(f).name);
                    failures++;
                    return;
                }
            }
        }
    }
    // A single case has few results and llama.cpp may be lucky in it; main() compares the sums of all cases closely.
    const bool good = ours.nmse() <= theirs.nmse() * 1.3 + 1e-12 && ours.worst <= theirs.worst * 1.5 + 1e-6;
    all->ours.add(ours);
    all->stock.add(theirs);
    if (!good) {
        failures++;
        printf(
            "%s %s k=%d rows=%d experts=%d used=%d tokens=%d threads=%d: nmse %.3g (stock %.3g), worst %.3g (stock "
            "%.3g)\n",
            isa.name, shape_of(f).name, k, s.rows, s.experts, s.used, s.tokens, s.threads, ours.nmse(), theirs.nmse(),
            ours.worst, theirs.worst);
    }
}

// A column's result is the same to the last bit whatever is multiplied with it: always where weights are floats, and
// with AVX-512 as long as there are few columns.
void check_columns(const instruction_set &isa, format f) {
    constexpr int most = 9, rows = 7;
    const int columns = is_float(f) ? most : strcmp(isa.name, "avx512") == 0 ? 4 : 1;
    const kernel *kern = isa.find(f);
    if (kern == nullptr) return;
    for (const int k : {256, 1024, 65 * 256}) {
        std::mt19937 random(static_cast<unsigned>(k));
        const size_t row_bytes = ggml_row_size(type_of(f), k);
        std::vector<uint8_t> weights(row_bytes * rows);
        random_weights(f, static_cast<int64_t>(weights.size()), random, weights.data());
        std::vector<float> x(static_cast<size_t>(k) * most);
        std::normal_distribution<float> normal;
        for (float &v : x) v = normal(random);
        std::vector<uint8_t> activation_memory, scratch;
        const int steps = (k + step - 1) / step;
        auto *activations = static_cast<activation_step *>(
            aligned(activation_memory, static_cast<size_t>(steps) * most * sizeof(activation_step)));
        if (kern->quantize != nullptr) {
            for (int c = 0; c < most; c++) kern->quantize(&x[static_cast<size_t>(c) * k], k, activations + c, most);
        }
        product p{};
        p.weights = weights.data();
        p.row_bytes = row_bytes;
        p.rows = rows;
        p.steps = steps;
        p.activations = activations;
        p.source = {reinterpret_cast<const uint8_t *>(x.data()), 1, 0, k * sizeof(float)};
        p.tokens = most;
        p.scratch = aligned(scratch, kern->scratch_bytes);
        std::vector<float> alone(static_cast<size_t>(rows) * most), together(alone.size());
        column to[most];
        for (int c = 0; c < most; c++) {
            to[c] = {c, &alone[static_cast<size_t>(c) * rows]};
            p.columns = to + c;
            p.n_columns = 1;
            kern->multiply(p);
            to[c].out = &together[static_cast<size_t>(c) * rows];
        }
        p.columns = to;
        for (int n = 2; n <= columns; n++) {
            p.n_columns = n;
            kern->multiply(p);
            if (memcmp(alone.data(), together.data(), sizeof(float) * rows * static_cast<size_t>(n)) != 0) {
                failures++;
                printf("%s %s k=%d: %d columns differ from each alone\n", isa.name, shape_of(f).name, k, n);
            }
        }
    }
}

}  // namespace

int main(int, char **argv) {
    char why[256];
    if (!is_compatible(why, sizeof why)) {
        printf("%s\n", why);
        return 1;
    }
    const stock_variant variant = find_stock_variant_in(argv[1]);
    if (variant.init == nullptr || variant.init() == nullptr) {
        printf("no stock CPU variant in %s\n", argv[1]);
        return 1;
    }
    const auto stock = reinterpret_cast<const ggml_type_traits_cpu *(*)(ggml_type)>(
        dlsym(dlopen(variant.path.c_str(), RTLD_NOW | RTLD_LOCAL), "ggml_get_type_traits_cpu"));
    if (stock == nullptr) {
        printf("no stock CPU variant with ggml_get_type_traits_cpu\n");
        return 1;
    }
    const char *forced = getenv("PANALLAMA_FORCE_ISA");
    if (forced && choose_instruction_set(forced) == nullptr) {
        printf("%s: unknown, or not on this CPU\n", forced);
        return 1;
    }
    int checked = 0;
    for (const instruction_set *isa = instruction_sets(); isa->name; isa++) {
        if (forced && strcmp(forced, isa->name) != 0) continue;
        if (!isa->usable()) {
            printf("%s: not on this CPU\n", isa->name);
            continue;
        }
        for (int i = 0; i < format_count; i++) {
            const auto f = static_cast<format>(i);
            comparison all;
            for (const shape &s : shapes) {
                check(*isa, f, s, 0, stock, &all);
                if (shape_of(f).block_weights <= 32) check(*isa, f, s, 96, stock, &all);
                checked++;
            }
            check_columns(*isa, f);
            const bool is_first = std::find(std::begin(families), std::end(families), f) != std::end(families);
            for (const int tokens : batches) {
                if (tokens > largest_batch_of_all && !is_first) continue;
                check(*isa, f, batch_shape(tokens), 0, stock, &all);
                checked++;
            }
            printf("%-8s %-8s nmse %.4g, llama.cpp %.4g\n", isa->name, shape_of(f).name, all.ours.nmse(),
                   all.stock.nmse());
            if (all.ours.nmse() > all.stock.nmse() * 1.01) {
                printf("  further off than llama.cpp\n");
                failures++;
            }
        }
    }
    printf("%d cases, %d failures\n", checked, failures);
    return failures == 0 ? 0 : 1;
}
