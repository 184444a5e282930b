// Expert blocks and dense feed-forward blocks as llama.cpp builds them, computed by the variant dropped in: fused where
// that is allowed, and not where somebody looks at what a fusion would leave out. The counts that the variant logs when
// a backend is freed must be exactly those expected, the results those of the same graph that is not fused, and every
// node afterwards what it was.
//
//   fusion_test <drop-in folder>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"
#include "random_weights.h"

using namespace panallama;

namespace {

constexpr int n_embd = 256, n_ff = 512, n_expert = 8, n_used = 4;

struct counts {
    long long dense = 0, expert = 0, gated = 0, sums = 0;
    double scratch = 0;  // bytes

    bool operator==(const counts &o) const {
        return dense == o.dense && expert == o.expert && gated == o.gated && sums == o.sums;
    }
};

counts logged;
bool picked_up;

void on_log(ggml_log_level level, const char *text, void *) {
    if (strncmp(text, "panallama: ", 11) == 0 && strstr(text, " kernels over ")) picked_up = true;
    counts n;
    if (sscanf(text,
               "panallama: %lld dense and %lld expert multiplications computed, gated units %lld, sums of experts "
               "%lld; scratch %lf bytes",
               &n.dense, &n.expert, &n.gated, &n.sums, &n.scratch) == 5) {
        logged = n;
    }
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int failures = 0;

void expect(bool good, const char *what, const char *how) {
    if (good) return;
    printf("%s: %s\n", what, how);
    failures++;
}

// A graph whose tensors have memory of their own, so that each can be looked at afterwards.
struct block {
    std::unique_ptr<ggml_context, void (*)(ggml_context *)> context;
    ggml_cgraph *graph = nullptr;
    ggml_tensor *x = nullptr, *ids = nullptr, *gate = nullptr, *glu = nullptr, *out = nullptr;
    std::mt19937 random{7};

    block() : context(ggml_init({64u << 20, nullptr, false}), ggml_free) { graph = ggml_new_graph(context.get()); }

    ggml_tensor *weights(ggml_type type, int64_t k, int64_t rows, int64_t experts) {
        ggml_tensor *t = ggml_new_tensor_3d(context.get(), type, k, rows, experts);
        format f;
        if (format_of(type, &f)) {
            random_weights(f, static_cast<int64_t>(ggml_nbytes(t)), random, static_cast<uint8_t *>(t->data));
        } else {
            fill(t, 0.05f);
        }
        return t;
    }
    void fill(ggml_tensor *t, float scale) {
        std::normal_distribution<float> normal;
        auto *p = static_cast<float *>(t->data);
        for (int64_t i = 0; i < ggml_nelements(t); i++) p[i] = normal(random) * scale;
    }
    ggml_tensor *floats(int64_t a, int64_t b, int64_t c, float scale) {
        ggml_tensor *t = ggml_new_tensor_3d(context.get(), GGML_TYPE_F32, a, b, c);
        fill(t, scale);
        return t;
    }
};

enum class unit { swiglu, gpt_oss, geglu, reglu, clamp };

struct kind {
    ggml_type type = GGML_TYPE_Q4_K;
    int tokens = 1;
    unit u = unit::swiglu;
    bool dense = false, merged = false, biased = false;
    bool look_at_gate = false;  // it is an output of the graph
    bool use_gate_again = false;
    bool lora_on_gate = false;
    bool over_input = false;  // the unit's result takes the activations' place
    bool sum_over_weights = false;
};

ggml_tensor *apply_unit(ggml_context *c, unit u, ggml_tensor *gate, ggml_tensor *up) {
    switch (u) {
        case unit::swiglu:
            return ggml_swiglu_split(c, gate, up);
        case unit::gpt_oss:
            return ggml_swiglu_oai(c, gate, up, 1.702f, 7.0f);
        case unit::geglu:
            return ggml_geglu_split(c, gate, up);
        case unit::reglu:
            return ggml_reglu_split(c, gate, up);
        case unit::clamp:
            return ggml_swiglu_clamp(c, gate, up, 2.0f);
    }
    return nullptr;
}

block build(const kind &k) {
    block b;
    ggml_context *c = b.context.get();
    const int experts = k.dense ? 1 : n_expert;
    const int factor = k.merged ? 2 : 1;
    // Room behind the activations for a result that takes their place.
    ggml_tensor *room = b.floats(static_cast<int64_t>(n_ff) * n_used, k.tokens, 1, 1.0f);
    ggml_tensor *cur = b.x = ggml_new_tensor_2d(c, GGML_TYPE_F32, n_embd, k.tokens);
    cur->data = room->data;
    if (!k.dense) {
        b.ids = ggml_new_tensor_2d(c, GGML_TYPE_I32, n_used, k.tokens);
        auto *p = static_cast<int32_t *>(b.ids->data);
        for (int t = 0; t < k.tokens; t++) {
            const int first = static_cast<int>(b.random() % n_expert);
            for (int u = 0; u < n_used; u++) p[t * n_used + u] = (first + u * 3) % n_expert;
        }
        cur = ggml_reshape_3d(c, cur, n_embd, 1, k.tokens);
    }
    const auto multiply = [&](ggml_tensor *w, ggml_tensor *in) {
        return k.dense ? ggml_mul_mat(c, w, in) : ggml_mul_mat_id(c, w, in, b.ids);
    };
    const auto add_bias = [&](ggml_tensor *t, int64_t rows) {
        if (!k.biased) return t;
        ggml_tensor *bias = b.floats(rows, experts, 1, 1.0f);
        return k.dense ? ggml_add(c, t, ggml_reshape_1d(c, bias, rows)) : ggml_add_id(c, t, bias, b.ids);
    };
    ggml_tensor *gate = b.gate = multiply(b.weights(k.type, n_embd, factor * n_ff, experts), cur);
    if (k.look_at_gate) ggml_set_output(gate);
    if (k.lora_on_gate) {
        ggml_tensor *low = multiply(b.weights(GGML_TYPE_F32, n_embd, 8, experts), cur);
        gate = ggml_add(c, gate, multiply(b.weights(GGML_TYPE_F32, 8, n_ff, experts), low));
    }
    gate = add_bias(gate, factor * n_ff);
    if (k.merged && k.dense) {
        b.glu = ggml_swiglu(c, gate);
    } else if (k.merged) {
        const size_t half = n_ff * sizeof(float);
        b.glu = apply_unit(c, k.u, ggml_view_3d(c, gate, n_ff, n_used, k.tokens, gate->nb[1], gate->nb[2], 0),
                           ggml_view_3d(c, gate, n_ff, n_used, k.tokens, gate->nb[1], gate->nb[2], half));
    } else {
        b.glu = apply_unit(c, k.u, gate, add_bias(multiply(b.weights(k.type, n_embd, n_ff, experts), cur), n_ff));
    }
    if (k.over_input) b.glu->data = room->data;
    ggml_tensor *down = multiply(b.weights(k.type, n_ff, n_embd, experts), b.glu);
    if (k.dense) {
        b.out = down;
    } else {
        ggml_tensor *router = ggml_new_tensor_3d(c, GGML_TYPE_F32, 1, n_used, k.tokens);
        router->data = b.floats(n_embd, k.tokens, 1, 1.0f)->data;  // with room for a sum that takes its place
        down = ggml_mul(c, down, router);
        ggml_build_forward_expand(b.graph, down);
        ggml_tensor *views[n_used];
        for (int u = 0; u < n_used; u++) {
            views[u] = ggml_view_2d(c, down, n_embd, k.tokens, down->nb[2], u * down->nb[1]);
            ggml_build_forward_expand(b.graph, views[u]);
        }
        b.out = views[0];
        for (int u = 1; u < n_used; u++) b.out = ggml_add(c, b.out, views[u]);
        if (k.sum_over_weights) b.out->data = router->data;
    }
    ggml_build_forward_expand(b.graph, b.out);
    if (k.use_gate_again) ggml_build_forward_expand(b.graph, ggml_scale(c, b.gate, 2.0f));
    return b;
}

std::vector<float> values(const ggml_tensor *t) {
    const auto *p = static_cast<const float *>(t->data);
    return {p, p + ggml_nelements(t)};
}

// Normalized mean squared error.
double difference(const std::vector<float> &got, const std::vector<float> &expected) {
    double squared = 0, all = 0;
    for (size_t i = 0; i < got.size(); i++) {
        squared += std::pow(static_cast<double>(got[i]) - expected[i], 2);
        all += std::pow(static_cast<double>(expected[i]), 2);
    }
    return std::isfinite(squared) ? squared / all : HUGE_VAL;
}

struct result {
    std::vector<float> glu, out;
    counts n;
};

ggml_backend_t new_backend(int threads) {
    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_backend_t backend = ggml_backend_dev_init(device, nullptr);
    const auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
        ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads"));
    set_threads(backend, threads);
    return backend;
}

std::vector<int32_t> state_of(ggml_cgraph *graph) {
    std::vector<int32_t> state;
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        const ggml_tensor *node = ggml_graph_node(graph, i);
        state.push_back(node->op);
        state.push_back(node->flags);
        state.insert(state.end(), std::begin(node->op_params), std::end(node->op_params));
    }
    return state;
}

result compute(const kind &k, int threads) {
    block b = build(k);
    const std::vector<int32_t> before = state_of(b.graph);
    ggml_backend_t backend = new_backend(threads);
    const ggml_status status = ggml_backend_graph_compute(backend, b.graph);
    logged = {};
    ggml_backend_free(backend);
    expect(status == GGML_STATUS_SUCCESS, "computation", "failed");
    expect(state_of(b.graph) == before, "graph", "not restored");
    return {values(b.glu), values(b.out), logged};
}

void check(const char *what, const kind &k, const counts &expected, int threads = 2) {
    const result got = compute(k, threads);
    kind seen = k;
    seen.look_at_gate = true;
    const result unfused = compute(seen, threads);
    expect(unfused.n.gated == 0, what, "fused although the gate is looked at");
    // llama.cpp rounds GELU to half precision.
    const double tolerance = k.u == unit::geglu ? 1e-6 : 1e-12;
    const double glu = difference(got.glu, unfused.glu), out = difference(got.out, unfused.out);
    printf("%s: %lld + %lld multiplications, %lld units, %lld sums; difference %.1e, %.1e\n", what, got.n.dense,
           got.n.expert, got.n.gated, got.n.sums, glu, out);
    expect(got.n == expected, what, "other counts than expected");
    expect(glu <= tolerance, what, "another unit");
    expect(out <= (k.u == unit::geglu ? 1e-4 : 1e-6), what, "another result");
}

void check_kinds() {
    const counts moe{0, 3, 1, 1}, dense{3, 0, 1, 0};
    for (ggml_type type : {GGML_TYPE_Q4_K, GGML_TYPE_Q8_0, GGML_TYPE_IQ4_XS, GGML_TYPE_Q6_K}) {
        for (int tokens : {1, 3, 40}) {
            kind k;
            k.type = type;
            k.tokens = tokens;
            check("experts", k, moe);
        }
    }
    for (int threads = 1; threads <= 5; threads++) {
        kind k;
        k.tokens = 9;
        check("threads", k, moe, threads);
    }
    const auto with = [&](const char *what, const counts &expected, const std::function<void(kind *)> &change) {
        for (int tokens : {1, 20}) {
            kind k;
            k.tokens = tokens;
            change(&k);
            check(what, k, expected);
        }
    };
    with("gpt-oss", moe, [](kind *k) { k->u = unit::gpt_oss, k->biased = true, k->type = GGML_TYPE_MXFP4; });
    with("GeGLU", moe, [](kind *k) { k->u = unit::geglu; });
    with("ReGLU", moe, [](kind *k) { k->u = unit::reglu; });
    with("clamped SwiGLU", moe, [](kind *k) { k->u = unit::clamp; });
    with("gate and up in one", {0, 2, 1, 1}, [](kind *k) { k->merged = true; });
    with("gate and up in one, biased", {0, 2, 1, 1}, [](kind *k) { k->merged = k->biased = true; });
    with("dense", dense, [](kind *k) { k->dense = true; });
    with("dense, gate and up in one", {2, 0, 1, 0}, [](kind *k) { k->dense = k->merged = true; });
    with("unit over activations", moe, [](kind *k) { k->over_input = true; });
    with("dense unit over activations", dense, [](kind *k) { k->dense = k->over_input = true; });
    with("gate is an output", {0, 3, 0, 1}, [](kind *k) { k->look_at_gate = true; });
    with("gate is used twice", {0, 3, 0, 1}, [](kind *k) { k->use_gate_again = true; });
    with("LoRA on the gate", {0, 3, 0, 1}, [](kind *k) { k->lora_on_gate = true; });
    with("sum over router weights", {0, 3, 1, 0}, [](kind *k) { k->sum_over_weights = true; });
    with("format of llama.cpp's", {0, 0, 0, 1}, [](kind *k) { k->type = GGML_TYPE_F32; });
}

// Query, key and value read the same activations, and only the first quantizes them; unless somebody wrote over them.
void check_shared_activations() {
    std::vector<float> expected[2];
    for (bool shared : {false, true}) {
        for (int tokens : {1, 30}) {
            block b;
            ggml_context *c = b.context.get();
            ggml_tensor *x = b.floats(n_embd, tokens, 1, 1.0f);
            ggml_tensor *sum = nullptr;
            for (int i = 0; i < 3; i++) {
                ggml_tensor *w = b.weights(GGML_TYPE_Q5_K, n_embd, 96, 1);
                ggml_tensor *product = ggml_mul_mat(c, w, shared ? x : ggml_dup(c, x));
                sum = sum == nullptr ? product : ggml_add(c, sum, product);
            }
            ggml_tensor *changed = ggml_scale_inplace(c, x, 2.0f);
            ggml_build_forward_expand(b.graph, sum);
            ggml_build_forward_expand(b.graph, changed);
            // `changed` lies where x lay.
            ggml_tensor *after = ggml_mul_mat(c, b.weights(GGML_TYPE_Q5_K, n_embd, 96, 1), changed);
            ggml_build_forward_expand(b.graph, after);
            ggml_backend_t backend = new_backend(3);
            ggml_backend_graph_compute(backend, b.graph);
            ggml_backend_free(backend);
            std::vector<float> all = values(sum);
            const std::vector<float> last = values(after);
            all.insert(all.end(), last.begin(), last.end());
            if (shared) {
                expect(all == expected[tokens > 1], "shared activations", "another result");
            } else {
                expected[tokens > 1] = all;
            }
        }
    }
}

struct watcher {
    const ggml_tensor *wanted;
    std::vector<float> seen;
};

bool on_eval(ggml_tensor *t, bool ask, void *user) {
    auto *w = static_cast<watcher *>(user);
    if (t != w->wanted) return !ask;
    if (!ask) w->seen = values(t);
    return true;
}

// A callback gets exactly the tensor that it asked for, and what it did not ask for may be fused.
void check_eval_callback() {
    kind k;
    k.tokens = 5;
    kind seen = k;
    seen.look_at_gate = true;
    block reference = build(seen);
    ggml_backend_t backend = new_backend(2);
    ggml_backend_graph_compute(backend, reference.graph);
    ggml_backend_free(backend);
    for (bool asks_for_gate : {true, false}) {
        block b = build(k);
        backend = new_backend(2);
        // The scheduler wants every tensor in a buffer.
        ggml_backend_buffer_t memory =
            ggml_backend_cpu_buffer_from_ptr(ggml_get_mem_buffer(b.context.get()), ggml_get_mem_size(b.context.get()));
        for (ggml_tensor *t = ggml_get_first_tensor(b.context.get()); t != nullptr;
             t = ggml_get_next_tensor(b.context.get(), t)) {
            t->buffer = memory;
        }
        ggml_backend_sched_t sched = ggml_backend_sched_new(&backend, nullptr, 1, 256, false, false);
        watcher w{asks_for_gate ? b.gate : b.glu, {}};
        ggml_backend_sched_set_eval_callback(sched, on_eval, &w);
        const ggml_status status = ggml_backend_sched_graph_compute(sched, b.graph);
        ggml_backend_sched_free(sched);
        ggml_backend_buffer_free(memory);
        logged = {};
        ggml_backend_free(backend);
        expect(status == GGML_STATUS_SUCCESS, "evaluation callback", "computation failed");
        expect(logged.gated == (asks_for_gate ? 0 : 1), "evaluation callback", "other units fused than expected");
        const double d = difference(w.seen, values(asks_for_gate ? reference.gate : reference.glu));
        expect(w.seen.size() > 0 && d <= 1e-12, "evaluation callback", "saw another result");
    }
}

bool on_abort(void *user) { return --*static_cast<int *>(user) < 0; }

void check_abort() {
    kind k;
    k.tokens = 20;
    const result expected = compute(k, 2);
    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    const auto set_abort = reinterpret_cast<ggml_backend_set_abort_callback_t>(
        ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_set_abort_callback"));
    block b = build(k);
    const std::vector<int32_t> before = state_of(b.graph);
    ggml_backend_t backend = new_backend(2);
    for (int nodes = 0; nodes < 2; nodes++) {
        int left = nodes;
        set_abort(backend, on_abort, &left);
        expect(ggml_backend_graph_compute(backend, b.graph) == GGML_STATUS_ABORTED, "abort", "not aborted");
        expect(state_of(b.graph) == before, "abort", "graph not restored");
    }
    set_abort(backend, nullptr, nullptr);
    ggml_backend_graph_compute(backend, b.graph);
    logged = {};
    ggml_backend_free(backend);
    expect(values(b.out) == expected.out, "abort", "another result afterwards");
    expect(logged == expected.n, "abort", "aborted computations were counted");
}

// Scratch is as large as the batch demands, and no larger for having computed many.
void check_scratch() {
    kind k;
    k.tokens = 40;
    const double once = compute(k, 2).n.scratch;
    ggml_backend_t backend = new_backend(2);
    for (int i = 0; i < 3; i++) {
        for (int tokens : {1, 40, 7}) {
            k.tokens = tokens;
            block b = build(k);
            ggml_backend_graph_compute(backend, b.graph);
        }
    }
    logged = {};
    ggml_backend_free(backend);
    // Activations in a byte and a half each, the largest being those of down; the rest is of fixed size for each
    // thread.
    const double activations = 40.0 * n_used * n_ff * 1.5;
    printf("scratch of 40 tokens: %.0f bytes, activations alone %.0f\n", once, activations);
    expect(logged.scratch == once, "scratch", "grows from graph to graph");
    expect(once >= activations && once < activations + (2 << 20), "scratch", "larger than the batch needs");
}

}  // namespace

int main(int, char **argv) {
    ggml_log_set(on_log, nullptr);
    ggml_backend_load_all_from_path(argv[1]);
    if (!picked_up) {
        printf("our CPU variant was not picked up\n");
        return 1;
    }
    check_kinds();
    check_shared_activations();
    check_eval_callback();
    check_abort();
    check_scratch();
    printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
