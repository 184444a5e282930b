// The entry points that llama.cpp looks for in a CPU variant. This one wraps the best stock variant beside it.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>

#include "../dispatch/peak.h"
#include "compatibility.h"
#include "ggml-backend-impl.h"
#include "graph_rewrite.h"
#include "log.h"
#include "stock_variant.h"

namespace panallama {

namespace {

constexpr int above_stock = 1 << 20;

struct backend_state {
    ggml_backend_i stock;
    graph_rewrite rewrite;
    int threads = GGML_DEFAULT_N_THREADS;
    computed_counts computed;
};

// The wrapped registration and device, and the backends made from it that are alive.
struct plugin {
    const instruction_set *isa = nullptr;
    ggml_backend_reg_t stock_reg = nullptr;
    ggml_backend_reg reg{};
    ggml_backend_dev_t stock_device = nullptr;
    ggml_backend_device device{};
    ggml_backend_set_n_threads_t stock_set_n_threads = nullptr;

    std::mutex mutex;
    std::unordered_map<ggml_backend_t, std::unique_ptr<backend_state>> backends;
};

plugin &self() {
    static plugin p;
    return p;
}

backend_state *state_of(ggml_backend_t backend) {
    const std::lock_guard<std::mutex> lock(self().mutex);
    const auto it = self().backends.find(backend);
    return it == self().backends.end() ? nullptr : it->second.get();
}

ggml_status graph_compute(ggml_backend_t backend, ggml_cgraph *graph) {
    backend_state *state = state_of(backend);
    bool rewritten = false;
    try {
        state->rewrite.begin(graph, *self().isa, state->threads);
        rewritten = true;
    } catch (const std::bad_alloc &) {
        // Too little memory: no node was changed, and stock computes them all.
    }
    const ggml_status status = state->stock.graph_compute(backend, graph);
    if (rewritten) {
        state->rewrite.end();
        if (status == GGML_STATUS_SUCCESS) state->computed += state->rewrite.counts();
    }
    return status;
}

void free_backend(ggml_backend_t backend) {
    std::unique_ptr<backend_state> state;
    {
        const std::lock_guard<std::mutex> lock(self().mutex);
        const auto it = self().backends.find(backend);
        state = std::move(it->second);
        self().backends.erase(it);
    }
    // Beside a GPU this is the one place that tells which side computed the experts.
    const computed_counts &n = state->computed;
    log_debug(
        "%lld dense and %lld expert multiplications computed, gated units %lld, sums of experts %lld; scratch %zu "
        "bytes",
        static_cast<long long>(n.dense), static_cast<long long>(n.expert), static_cast<long long>(n.gated),
        static_cast<long long>(n.sums), state->rewrite.scratch_bytes());
    state->stock.free(backend);
}

void set_n_threads(ggml_backend_t backend, int threads) {
    if (backend_state *state = state_of(backend)) state->threads = threads > 0 ? threads : GGML_DEFAULT_N_THREADS;
    self().stock_set_n_threads(backend, threads);
}

ggml_backend_t init_backend(ggml_backend_dev_t, const char *params) {
    ggml_backend_t backend = self().stock_device->iface.init_backend(self().stock_device, params);
    if (backend == nullptr) return nullptr;
    try {
        auto state = std::make_unique<backend_state>();
        state->stock = backend->iface;
        const std::lock_guard<std::mutex> lock(self().mutex);
        self().backends[backend] = std::move(state);
    } catch (const std::bad_alloc &) {
        return backend;  // as stock made it
    }
    backend->device = &self().device;
    backend->iface.graph_compute = graph_compute;
    backend->iface.free = free_backend;
    return backend;
}

ggml_backend_dev_t get_device(ggml_backend_reg_t, size_t) { return &self().device; }

void *get_proc_address(ggml_backend_reg_t, const char *name) {
    // Without the repacking buffer types, weights stay in the GGUF layout (and memory-mapped), which our kernels read.
    if (strcmp(name, "ggml_backend_dev_get_extra_bufts") == 0) return nullptr;
    if (strcmp(name, "ggml_backend_set_n_threads") == 0) return reinterpret_cast<void *>(set_n_threads);
    return self().stock_reg->iface.get_proc_address(self().stock_reg, name);
}

// Whether to take over, decided once; says why not.
struct decision {
    const stock_variant *stock = nullptr;
    const instruction_set *isa = nullptr;
};

decision decide() {
    const char *wish = getenv("PANALLAMA_KERNELS");
    if (wish && strcmp(wish, "off") == 0) {
        log_info("kernels are off (PANALLAMA_KERNELS=off)");
        return {};
    }
    const char *forced = getenv("PANALLAMA_FORCE_ISA");
    if (forced && *forced == '\0') forced = nullptr;
    const instruction_set *isa = choose_instruction_set(forced);
    if (isa == nullptr) {
        log_warning("no kernels for PANALLAMA_FORCE_ISA=%s on this CPU; using llama.cpp's own", forced);
        return {};
    }
    if (forced == nullptr && !is_accelerated(*isa)) {
        log_info("no kernels for this CPU; using llama.cpp's own");
        return {};
    }
    const bool wanted = forced != nullptr || (wish && strcmp(wish, "on") == 0);
    if (!wanted && !isa->measured) {
        log_info("the %s kernels were not measured on real CPUs yet; PANALLAMA_KERNELS=on uses them", isa->name);
        return {};
    }
    char why[256];
    if (!is_compatible(why, sizeof why)) {
        log_warning("this is not the llama.cpp these kernels were built for (%s); using its own kernels", why);
        return {};
    }
    const stock_variant *stock = find_stock_variant();
    if (stock == nullptr) {
        log_warning("no libggml-cpu-*.so of llama.cpp beside this library; cannot wrap one");
        return {};
    }
    return {stock, isa};
}

const decision &decided() {
    static const decision d = decide();
    return d;
}

// PANALLAMA_MEASURE_PEAK=<threads>: a line of the log for benchmarks, which hold the kernels against it.
void measure_peak(const instruction_set &isa) {
    const char *wish = getenv("PANALLAMA_MEASURE_PEAK");
    const int threads = wish ? atoi(wish) : 0;
    if (threads < 1 || threads > GGML_MAX_N_THREADS) return;
    log_info("%s can do %.6g multiply-adds a second on %d threads", isa.name, peak_multiply_adds(isa, threads),
             threads);
}

ggml_backend_reg_t wrap(const decision &d) {
    plugin &p = self();
    ggml_backend_reg_t stock = d.stock->init();
    if (stock == nullptr || stock->api_version != GGML_BACKEND_API_VERSION) return stock;
    p.isa = d.isa;
    p.stock_reg = stock;
    p.stock_device = stock->iface.get_device(stock, 0);
    p.stock_set_n_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
        stock->iface.get_proc_address(stock, "ggml_backend_set_n_threads"));
    p.reg = *stock;
    p.reg.iface.get_device = get_device;
    p.reg.iface.get_proc_address = get_proc_address;
    p.device = *p.stock_device;
    p.device.iface.init_backend = init_backend;
    p.device.reg = &p.reg;
    log_info("%s kernels over %s", d.isa->name, d.stock->path.c_str());
    measure_peak(*d.isa);
    return &p.reg;
}

}  // namespace

}  // namespace panallama

extern "C" {

GGML_BACKEND_API int ggml_backend_score(void);
GGML_BACKEND_API ggml_backend_reg_t ggml_backend_init(void);

int ggml_backend_score(void) {
    try {
        const panallama::decision &d = panallama::decided();
        return d.stock == nullptr ? 0 : d.stock->score + panallama::above_stock;
    } catch (...) {
        return 0;
    }
}

ggml_backend_reg_t ggml_backend_init(void) {
    try {
        const panallama::decision &d = panallama::decided();
        if (d.stock == nullptr) return nullptr;
        static const ggml_backend_reg_t wrapped = panallama::wrap(d);
        return wrapped;
    } catch (...) {
        return nullptr;
    }
}
}
