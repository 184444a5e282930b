#include "graph_rewrite.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "compatibility.h"

namespace panallama {

namespace {

constexpr size_t cache_line = 64;

// The head of op_params of a GGML_OP_CUSTOM node, as ggml.c lays it out.
struct custom_params {
    ggml_custom_op_t function;
    int n_tasks;
    void *user;
};

void run_custom(ggml_tensor *, int thread, int threads, void *user) {
    static_cast<matmul *>(user)->run(thread, threads);
}

const uint8_t *bytes(const ggml_tensor *t) { return static_cast<const uint8_t *>(t->data); }

// Weights proper: a whole tensor with its rows packed, not a view such as the KV cache gives.
bool is_weight(const ggml_tensor *w) {
    return w->op == GGML_OP_NONE && w->view_src == nullptr && w->data != nullptr && ggml_is_contiguous(w);
}

// Describes `node` when our kernels can compute it.
bool describe(const ggml_tensor *node, const instruction_set &isa, matmul_shape *out) {
    if (node->op != GGML_OP_MUL_MAT && node->op != GGML_OP_MUL_MAT_ID) return false;
    if ((node->flags & GGML_TENSOR_FLAG_COMPUTE) == 0) return false;
    const ggml_tensor *w = node->src[0];
    const ggml_tensor *x = node->src[1];
    const ggml_tensor *ids = node->op == GGML_OP_MUL_MAT_ID ? node->src[2] : nullptr;
    format f;
    if (!format_of(w->type, &f) || !is_weight(w) || w->ne[3] != 1 || x->ne[3] != 1) return false;
    if (x->type != GGML_TYPE_F32 || x->nb[0] != sizeof(float) || node->type != GGML_TYPE_F32) return false;
    if (node->nb[0] != sizeof(float) || node->data == nullptr || x->data == nullptr || ggml_is_empty(node))
        return false;
    if (ids == nullptr && w->ne[2] != 1) return false;
    if (ids != nullptr && (ids->type != GGML_TYPE_I32 || ids->data == nullptr)) return false;
    const kernel *k = isa.find(f);
    if (k == nullptr || (ids != nullptr ? x->ne[2] : x->ne[1]) < k->min_columns) return false;

    *out = {};
    out->kern = k;
    out->weights_format = f;
    out->weights = bytes(w);
    out->row_bytes = w->nb[1];
    out->expert_bytes = w->nb[2];
    out->k = w->ne[0];
    out->rows = static_cast<int>(w->ne[1]);
    out->experts = static_cast<int>(w->ne[2]);
    out->activations = bytes(x);
    out->slots = x->ne[1];
    out->tokens = x->ne[2];
    out->slot_stride = x->nb[1];
    out->token_stride = x->nb[2];
    out->used = static_cast<int>(node->ne[1]);
    if (ids != nullptr) {
        out->ids = bytes(ids);
        out->id_stride = ids->nb[0];
        out->id_token_stride = ids->nb[1];
    }
    out->out = static_cast<uint8_t *>(node->data);
    out->out_slot_stride = node->nb[1];
    out->out_token_stride = node->nb[2];
    return true;
}

}  // namespace

aligned_buffer::aligned_buffer(aligned_buffer &&other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

aligned_buffer::~aligned_buffer() { free(data_); }

bool aligned_buffer::reserve(size_t bytes) {
    if (bytes <= bytes_) return true;
    free(data_);
    bytes_ = 0;
    const size_t rounded = (bytes + cache_line - 1) / cache_line * cache_line;
    data_ = aligned_alloc(cache_line, rounded);
    if (data_ == nullptr) return false;
    bytes_ = rounded;
    return true;
}

const matmul_memory *workspace::prepare(const matmul_needs &needs, int threads) {
    const auto n_experts = static_cast<size_t>(needs.experts);
    if (!activations_.reserve(static_cast<size_t>(needs.activation_steps) * sizeof(activation_step)) ||
        !columns_.reserve(static_cast<size_t>(needs.columns) * sizeof(column)) ||
        !expert_begin_.reserve((n_experts + 1) * sizeof(int32_t)) ||
        !expert_cursor_.reserve(n_experts * sizeof(int32_t))) {
        return nullptr;
    }
    const auto n = static_cast<size_t>(threads);
    if (per_thread_.size() < n) per_thread_.resize(n);
    thread_.resize(per_thread_.size());
    for (size_t i = 0; i < n; i++) {
        if (!per_thread_[i].reserve(needs.thread_bytes)) return nullptr;
        thread_[i] = static_cast<uint8_t *>(per_thread_[i].data());
    }
    memory_ = {static_cast<activation_step *>(activations_.data()),
               static_cast<column *>(columns_.data()),
               static_cast<int32_t *>(expert_begin_.data()),
               static_cast<int32_t *>(expert_cursor_.data()),
               thread_.data(),
               threads};
    return &memory_;
}

graph_rewrite::graph_rewrite(ggml_cgraph *graph, const instruction_set &isa, workspace *memory, int threads) {
    struct found {
        ggml_tensor *node;
        matmul_shape shape;
    };
    std::vector<found> taken;
    matmul_needs most{};
    const int n = ggml_graph_n_nodes(graph);
    for (int i = 0; i < n; i++) {
        ggml_tensor *node = ggml_graph_node(graph, i);
        matmul_shape shape;
        if (!describe(node, isa, &shape)) continue;
        const matmul_needs needs = needs_of(shape);
        most.activation_steps = std::max(most.activation_steps, needs.activation_steps);
        most.columns = std::max(most.columns, needs.columns);
        most.experts = std::max(most.experts, needs.experts);
        most.thread_bytes = std::max(most.thread_bytes, needs.thread_bytes);
        taken.push_back({node, shape});
    }
    if (taken.empty()) return;
    const matmul_memory *prepared = memory->prepare(most, threads);
    if (prepared == nullptr) return;
    // Nothing below the first change of a node can throw, so that a node is never left changed.
    for (const found &f : taken) multiplications_.emplace_back(f.shape, prepared);
    saved_.reserve(taken.size());
    auto multiplication = multiplications_.begin();
    for (const found &f : taken) {
        saved_node &s = saved_.emplace_back();
        s.node = f.node;
        s.op = f.node->op;
        memcpy(s.op_params, f.node->op_params, sizeof s.op_params);
        const custom_params params{run_custom, GGML_N_TASKS_MAX, &*multiplication++};
        static_assert(sizeof params <= GGML_MAX_OP_PARAMS, "fits the node");
        memcpy(f.node->op_params, &params, sizeof params);
        f.node->op = GGML_OP_CUSTOM;
    }
}

int64_t graph_rewrite::taken(ggml_op op) const {
    return std::count_if(saved_.begin(), saved_.end(), [op](const saved_node &s) { return s.op == op; });
}

graph_rewrite::~graph_rewrite() {
    for (const saved_node &s : saved_) {
        s.node->op = s.op;
        memcpy(s.node->op_params, s.op_params, sizeof s.op_params);
    }
}

}  // namespace panallama
