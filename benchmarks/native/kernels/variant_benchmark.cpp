// Single operations, ours against a variant of llama.cpp: CPU time on one thread, both in this process in turns.
//
//   variant_benchmark FOLDER [dense] COLUMNS...
//
// FOLDER holds llama.cpp's libraries with a single CPU variant, which computes with repacked weights where it can, and
// ours, which wraps it. PANALLAMA_FORCE_ISA chooses the kernels. MUL_MAT_ID of 8 experts, 2 used, or MUL_MAT when
// dense; 4096 x 14336 weights, many more than the caches hold. Prints stock's time over ours for each format.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/stock_variant.h"
#include "ggml-alloc.h"
#include "ggml-backend-impl.h"
#include "random_weights.h"

using namespace panallama;

namespace {

constexpr int64_t k = 4096;
constexpr int64_t rows = 14336;
constexpr int experts = 8;
constexpr int used = 2;
constexpr double seconds_per_cell = 0.3;

double seconds(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

[[noreturn]] void fail(const std::string &what) {
    fprintf(stderr, "variant_benchmark: %s\n", what.c_str());
    exit(1);
}

template <class T, void (*Free)(T *)> struct freed {
    void operator()(T *p) const { Free(p); }
};
using context = std::unique_ptr<ggml_context, freed<ggml_context, ggml_free>>;
using buffer = std::unique_ptr<ggml_backend_buffer, freed<ggml_backend_buffer, ggml_backend_buffer_free>>;

context new_context() { return context(ggml_init({1 << 20, nullptr, true})); }

struct side {
    ggml_backend_dev_t device;
    ggml_backend_t backend;
    context weights_context;
    buffer weights_buffer;
    ggml_tensor *weights = nullptr;

    explicit side(const std::string &library) {
        void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) fail(dlerror());
        const auto init = reinterpret_cast<ggml_backend_init_t>(dlsym(handle, "ggml_backend_init"));
        ggml_backend_reg_t reg = init == nullptr ? nullptr : init();
        if (reg == nullptr) fail(library + " cannot be used on this machine");
        device = ggml_backend_reg_dev_get(reg, 0);
        backend = ggml_backend_dev_init(device, nullptr);
        const auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
            ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads"));
        set_threads(backend, 1);
    }

    // Where llama.cpp keeps weights that it multiplies by `op`: repacked, if it can, otherwise as they are.
    ggml_backend_buffer_type_t best_buffer(const ggml_tensor *op) const {
        ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(device);
        const auto extra = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
            ggml_backend_reg_get_proc_address(reg, "ggml_backend_dev_get_extra_bufts"));
        ggml_backend_buffer_type_t plain = ggml_backend_dev_buffer_type(device);
        for (auto *types = extra == nullptr ? nullptr : extra(device); types != nullptr && *types != nullptr; types++) {
            buffer probe(ggml_backend_buft_alloc_buffer(*types, 0));
            op->src[0]->buffer = probe.get();
            const bool takes = ggml_backend_dev_supports_op(device, op);
            op->src[0]->buffer = nullptr;
            if (takes) return *types;
        }
        return plain;
    }
};

struct operation {
    context own = new_context();
    ggml_tensor *activations;
    ggml_tensor *ids = nullptr;
    ggml_tensor *result;

    operation(ggml_tensor *weights, bool dense, int64_t columns) {
        activations = ggml_new_tensor_3d(own.get(), GGML_TYPE_F32, k, dense ? columns : 1, dense ? 1 : columns);
        if (dense) {
            result = ggml_mul_mat(own.get(), weights, activations);
        } else {
            ids = ggml_new_tensor_2d(own.get(), GGML_TYPE_I32, used, columns);
            result = ggml_mul_mat_id(own.get(), weights, activations, ids);
        }
    }
};

void set_weights(side *s, format f, bool dense) {
    s->weights_buffer.reset();
    s->weights_context = new_context();
    ggml_context *own = s->weights_context.get();
    s->weights =
        dense ? ggml_new_tensor_2d(own, type_of(f), k, rows) : ggml_new_tensor_3d(own, type_of(f), k, rows, experts);
    const operation probe(s->weights, dense, 1);
    s->weights_buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(own, s->best_buffer(probe.result)));
    std::mt19937 random(1);
    std::vector<uint8_t> bytes(ggml_nbytes(s->weights));
    const size_t part = std::min(bytes.size(), ggml_row_size(type_of(f), k) * 256);  // the rest repeats it
    random_weights(f, static_cast<int64_t>(part), random, bytes.data());
    for (size_t at = part; at < bytes.size(); at += part) {
        memcpy(bytes.data() + at, bytes.data(), std::min(part, bytes.size() - at));
    }
    ggml_backend_tensor_set(s->weights, bytes.data(), 0, bytes.size());
}

// Mean of the fastest quarter: the others were disturbed.
double typical(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    const size_t n = std::max<size_t>(times.size() / 4, 1);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += times[i];
    return sum / static_cast<double>(n);
}

double ratio(const side (&sides)[2], bool dense, int columns) {
    std::vector<double> times[2];
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    std::vector<float> x(static_cast<size_t>(k * columns));
    for (float &v : x) v = normal(random);
    std::vector<int32_t> ids(static_cast<size_t>(used * columns));
    const double end = seconds(CLOCK_MONOTONIC) + seconds_per_cell;
    while (times[1].size() < 3 || seconds(CLOCK_MONOTONIC) < end) {
        for (size_t i = 0; i < ids.size(); i += used) {
            ids[i] = static_cast<int32_t>(random() % experts);
            ids[i + 1] = (ids[i] + 1 + static_cast<int32_t>(random() % (experts - 1))) % experts;
        }
        for (int i = 0; i < 2; i++) {
            const operation op(sides[i].weights, dense, columns);
            const buffer memory(ggml_backend_alloc_ctx_tensors(op.own.get(), sides[i].backend));
            ggml_backend_tensor_set(op.activations, x.data(), 0, x.size() * sizeof(float));
            if (op.ids != nullptr) ggml_backend_tensor_set(op.ids, ids.data(), 0, ids.size() * sizeof(int32_t));
            ggml_cgraph *graph = ggml_new_graph(op.own.get());
            ggml_build_forward_expand(graph, op.result);
            const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
            ggml_backend_graph_compute(sides[i].backend, graph);
            times[i].push_back(seconds(CLOCK_PROCESS_CPUTIME_ID) - start);
        }
    }
    return typical(times[0]) / typical(times[1]);
}

}  // namespace

int main(int argc, char **argv) {
    int at = 2;
    const bool dense = argc > at && strcmp(argv[at], "dense") == 0;
    if (dense) at++;
    if (argc <= at) {
        fprintf(stderr, "usage: variant_benchmark FOLDER [dense] COLUMNS...\n");
        return 2;
    }
    // llama.cpp reports every tensor that it repacks.
    const auto log_errors = [](ggml_log_level level, const char *text, void *) {
        if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
    };
    ggml_log_set(log_errors, nullptr);
    const std::string folder = argv[1];
    const stock_variant stock = find_stock_variant_in(folder);
    if (stock.init == nullptr) fail("there is no CPU variant of llama.cpp in " + folder);
    side sides[2] = {side(stock.path), side(folder + "/libggml-cpu-panallama.so")};
    printf("%-8s", "columns");
    for (int i = at; i < argc; i++) printf(" %6s", argv[i]);
    for (int i = 0; i < format_count; i++) {
        const auto f = static_cast<format>(i);
        printf("\n%-8s", shape_of(f).name);
        for (side &s : sides) set_weights(&s, f, dense);
        for (int c = at; c < argc; c++) {
            printf(" %6.2f", ratio(sides, dense, std::max(atoi(argv[c]), 1)));
            fflush(stdout);
        }
    }
    printf("\n");
    return 0;
}
