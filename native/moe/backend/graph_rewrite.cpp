#include "graph_rewrite.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace panallama {

namespace {

// The head of op_params of a GGML_OP_CUSTOM node, as ggml.c lays it out.
struct custom_params {
    ggml_custom_op_t function;
    int n_tasks;
    void *user;
};
static_assert(sizeof(custom_params) <= GGML_MAX_OP_PARAMS, "fits the node");

template <typename T> void run_custom(ggml_tensor *, int thread, int threads, void *user) {
    static_cast<const T *>(user)->run(thread, threads);
}

// Whether b can go on with the activations that a quantized, when nothing of ours is computed between them.
bool same_activations(const matmul_shape &a, const matmul_shape &b) {
    return a.kern->quantize == b.kern->quantize && a.k == b.k && a.activations == b.activations && a.slots == b.slots &&
           a.tokens == b.tokens && a.slot_stride == b.slot_stride && a.token_stride == b.token_stride &&
           a.is_small() == b.is_small();
}

bool writes_into(const ggml_tensor *node, const ggml_tensor *memory) {
    const auto *a = static_cast<const uint8_t *>(node->data), *b = static_cast<const uint8_t *>(memory->data);
    return a == nullptr || (a < b + ggml_nbytes(memory) && b < a + ggml_nbytes(node));
}

}  // namespace

computed_counts &computed_counts::operator+=(const computed_counts &more) {
    dense += more.dense;
    expert += more.expert;
    gated += more.gated;
    sums += more.sums;
    return *this;
}

void graph_rewrite::find_groups(ggml_cgraph *graph, const instruction_set &isa) {
    const int n = ggml_graph_n_nodes(graph);
    ggml_tensor *const *nodes = ggml_graph_nodes(graph);
    in_group_.assign(static_cast<size_t>(n), false);
    for (int i = 0; i < n; i++) {
        node_group group;
        matmul_shape shape;
        weighted_sum sum;
        if (match_gated_unit(graph, i, isa, &shape, &group)) {
            matmuls_.push_back({i, nodes[group.nodes[0]]->src[1], shape});
            counts_.gated++;
        } else if (match_weighted_sum(graph, i, &sum, &group)) {
            sums_.push_back({group.nodes[group.n - 1], sum});
            counts_.sums++;
        } else {
            continue;
        }
        for (int m = 0; m < group.n; m++) {
            ggml_tensor *node = nodes[group.nodes[m]];
            in_group_[static_cast<size_t>(group.nodes[m])] = true;
            if (m < group.n - 1) swallowed_.push_back(node);
            if (node->op == GGML_OP_MUL_MAT) counts_.dense++;
            if (node->op == GGML_OP_MUL_MAT_ID) counts_.expert++;
        }
    }
}

void graph_rewrite::find_multiplications(ggml_cgraph *graph, const instruction_set &isa) {
    const int n = ggml_graph_n_nodes(graph);
    for (int i = 0; i < n; i++) {
        const ggml_tensor *node = ggml_graph_node(graph, i);
        matmul_shape shape;
        if (in_group_[static_cast<size_t>(i)] || !match_matmul(node, isa, &shape)) continue;
        matmuls_.push_back({i, node->src[1], shape});
        ++(node->op == GGML_OP_MUL_MAT ? counts_.dense : counts_.expert);
    }
    std::sort(matmuls_.begin(), matmuls_.end(),
              [](const found_matmul &a, const found_matmul &b) { return a.node < b.node; });
}

// Multiplications of the same activations, one after another (query, key and value of attention), quantize them once,
// unless something was written over them in between.
void graph_rewrite::share_activations(ggml_cgraph *graph) {
    ggml_tensor *const *nodes = ggml_graph_nodes(graph);
    for (size_t i = 1; i < matmuls_.size(); i++) {
        const found_matmul &before = matmuls_[i - 1];
        found_matmul &here = matmuls_[i];
        here.shape.activations_ready =
            same_activations(before.shape, here.shape) &&
            std::none_of(nodes + before.node, nodes + here.node,
                         [&](const ggml_tensor *node) { return writes_into(node, here.activations); });
    }
}

void graph_rewrite::save(ggml_tensor *node) {
    saved_node &s = saved_.emplace_back();
    s.node = node;
    s.op = node->op;
    memcpy(s.op_params, node->op_params, sizeof s.op_params);
}

void graph_rewrite::replace(ggml_tensor *node, ggml_custom_op_t function, const void *user) {
    save(node);
    const custom_params params{function, GGML_N_TASKS_MAX, const_cast<void *>(user)};
    memcpy(node->op_params, &params, sizeof params);
    node->op = GGML_OP_CUSTOM;
}

void graph_rewrite::begin(ggml_cgraph *graph, const instruction_set &isa, int threads) {
    counts_ = {};
    matmuls_.clear();
    sums_.clear();
    swallowed_.clear();
    multiplications_.clear();
    saved_.clear();
    find_groups(graph, isa);
    find_multiplications(graph, isa);
    share_activations(graph);

    matmul_needs most{};
    for (const found_matmul &f : matmuls_) {
        const matmul_needs needs = needs_of(f.shape);
        most.activation_steps = std::max(most.activation_steps, needs.activation_steps);
        most.columns = std::max(most.columns, needs.columns);
        most.experts = std::max(most.experts, needs.experts);
        most.thread_bytes = std::max(most.thread_bytes, needs.thread_bytes);
    }
    const matmul_memory *prepared = memory_.prepare(most, threads);
    if (prepared == nullptr) throw std::bad_alloc();
    progress *start = memory_.unbegun(matmuls_.size());
    multiplications_.reserve(matmuls_.size());
    saved_.reserve(matmuls_.size() + sums_.size() + swallowed_.size());

    // Nothing below can throw, so that a node is never left changed.
    for (const found_matmul &f : matmuls_) multiplications_.emplace_back(f.shape, prepared, start++);
    for (size_t i = 0; i < matmuls_.size(); i++) {
        replace(ggml_graph_node(graph, matmuls_[i].node), run_custom<matmul>, &multiplications_[i]);
    }
    for (const found_sum &f : sums_) replace(ggml_graph_node(graph, f.node), run_custom<weighted_sum>, &f.sum);
    for (ggml_tensor *node : swallowed_) {
        save(node);
        node->op = GGML_OP_NONE;
    }
}

void graph_rewrite::end() {
    for (const saved_node &s : saved_) {
        s.node->op = s.op;
        memcpy(s.node->op_params, s.op_params, sizeof s.op_params);
    }
    saved_.clear();
}

}  // namespace panallama
