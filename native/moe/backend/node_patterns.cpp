#include "node_patterns.h"

#include <algorithm>
#include <cstring>

#include "compatibility.h"
#include "ggml-impl.h"

namespace panallama {

namespace {

const uint8_t *bytes(const ggml_tensor *t) { return static_cast<const uint8_t *>(t->data); }

// Weights proper: a whole tensor with its rows packed, not a view such as the KV cache gives.
bool is_weight(const ggml_tensor *w) {
    return w->op == GGML_OP_NONE && w->view_src == nullptr && w->data != nullptr && ggml_is_contiguous(w);
}

bool is_computed(const ggml_tensor *node) { return (node->flags & GGML_TENSOR_FLAG_COMPUTE) != 0; }

bool overlap(const ggml_tensor *a, const ggml_tensor *b) {
    return bytes(a) < bytes(b) + ggml_nbytes(b) && bytes(b) < bytes(a) + ggml_nbytes(a);
}

// Whether nobody outside the group uses the results of any but its last node.
bool can_fuse(const ggml_cgraph *graph, const node_group &group, ggml_tensor *const *nodes) {
    ggml_op ops[node_group::most];
    for (int i = 0; i < group.n; i++) ops[i] = nodes[group.nodes[i]]->op;
    return ggml_can_fuse_subgraph_ext(graph, group.nodes, group.n, ops, &group.nodes[group.n - 1], 1);
}

bool unit_of(const ggml_tensor *glu, gated_unit *out) {
    float alpha, limit;
    memcpy(&alpha, &glu->op_params[2], sizeof alpha);
    memcpy(&limit, &glu->op_params[3], sizeof limit);
    switch (ggml_get_glu_op(glu)) {
        case GGML_GLU_OP_SWIGLU:
            *out = {};
            return true;
        case GGML_GLU_OP_SWIGLU_OAI:
            *out = {gate_curve::sigmoid, alpha, limit, 1.0f};
            return true;
        case GGML_GLU_OP_SWIGLU_CLAMP:
            *out = {gate_curve::sigmoid, 1.0f, limit, 0.0f};
            return true;
        case GGML_GLU_OP_GEGLU:
            *out = {gate_curve::gelu};
            return true;
        case GGML_GLU_OP_REGLU:
            *out = {gate_curve::relu};
            return true;
        default:
            return false;
    }
}

// A multiplication, and a bias where one is added to it.
struct biased_matmul {
    const ggml_tensor *node;
    const ggml_tensor *sum = nullptr;  // what adds the bias
    const ggml_tensor *bias = nullptr;

    explicit biased_matmul(const ggml_tensor *t) : node(t) {
        if (t->op != GGML_OP_ADD && t->op != GGML_OP_ADD_ID) return;
        sum = t;
        node = t->src[0];
        bias = t->src[1];
    }

    // Whether the bias is one row of floats per expert.
    bool is_regular() const {
        if (bias == nullptr) return true;
        const ggml_tensor *weights = node->src[0];
        const bool chosen = node->op == GGML_OP_MUL_MAT_ID;
        return is_weight(bias) && bias->type == GGML_TYPE_F32 && bias->ne[0] == node->ne[0] &&
               sum->op == (chosen ? GGML_OP_ADD_ID : GGML_OP_ADD) && ggml_are_same_shape(sum, node) &&
               (!chosen || sum->src[2] == node->src[2]) && ggml_nrows(bias) == (chosen ? weights->ne[2] : 1);
    }
};

bool same_but_weights(const matmul_shape &a, const matmul_shape &b) {
    return a.kern == b.kern && a.row_bytes == b.row_bytes && a.expert_bytes == b.expert_bytes && a.k == b.k &&
           a.rows == b.rows && a.experts == b.experts && a.activations == b.activations && a.slots == b.slots &&
           a.tokens == b.tokens && a.slot_stride == b.slot_stride && a.token_stride == b.token_stride &&
           a.ids == b.ids && a.used == b.used && a.id_stride == b.id_stride && a.id_token_stride == b.id_token_stride;
}

// Whether a view is the lower or the upper half of each row.
bool is_half(const ggml_tensor *view, const ggml_tensor *both) {
    const size_t half = static_cast<size_t>(view->ne[0]) * sizeof(float);
    return 2 * view->ne[0] == both->ne[0] && view->ne[1] == both->ne[1] && view->ne[2] == both->ne[2] &&
           view->nb[1] == both->nb[1] && view->nb[2] == both->nb[2] &&
           (bytes(view) == bytes(both) || bytes(view) == bytes(both) + half);
}

// Adds `members` and `last` to the group when no other node is computed between them: what such a node writes may lie
// where the activations lay.
bool gather(ggml_tensor *const *nodes, int last, const ggml_tensor *const *members, int n_members, node_group *group) {
    group->nodes[0] = last;
    group->n = 1;
    for (int i = last - 1; i >= 0 && group->n <= n_members; i--) {
        const bool is_member = std::find(members, members + n_members, nodes[i]) != members + n_members;
        if (is_member) {
            group->nodes[group->n++] = i;
        } else if (is_computed(nodes[i]) && !ggml_op_is_empty(nodes[i]->op)) {
            return false;
        }
    }
    std::reverse(group->nodes, group->nodes + group->n);
    return group->n == n_members + 1;
}

}  // namespace

bool match_matmul(const ggml_tensor *node, const instruction_set &isa, matmul_shape *out) {
    if (node->op != GGML_OP_MUL_MAT && node->op != GGML_OP_MUL_MAT_ID) return false;
    if (!is_computed(node)) return false;
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
    if (k == nullptr || w->ne[0] % 32 != 0) return false;
    const bool dense = ids == nullptr && k->min_dense_columns > 0;
    if ((ids != nullptr ? x->ne[2] : x->ne[1]) < (dense ? k->min_dense_columns : k->min_columns)) return false;

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

bool match_gated_unit(ggml_cgraph *graph, int last, const instruction_set &isa, matmul_shape *out, node_group *group) {
    ggml_tensor *const *nodes = ggml_graph_nodes(graph);
    const ggml_tensor *glu = nodes[last];
    gated_unit unit;
    if (glu->op != GGML_OP_GLU || !is_computed(glu) || glu->type != GGML_TYPE_F32 || !unit_of(glu, &unit)) return false;
    if (glu->data == nullptr || glu->nb[0] != sizeof(float) || glu->ne[3] != 1 || ggml_is_empty(glu)) return false;

    // Two multiplications; or one whose rows hold both, which llama.cpp splits with views or leaves to the unit.
    const ggml_tensor *first = glu->src[0], *second = glu->src[1];
    const bool viewed = second != nullptr && first->op == GGML_OP_VIEW && second->op == GGML_OP_VIEW;
    const bool merged = second == nullptr || viewed;
    const biased_matmul gate(viewed ? first->src[0] : first);
    const biased_matmul up(viewed ? second->src[0] : merged ? first : second);
    if (merged && gate.node != up.node) return false;
    matmul_shape other;
    if (!match_matmul(gate.node, isa, out) || !match_matmul(up.node, isa, &other)) return false;
    if (!same_but_weights(*out, other) || !gate.is_regular() || !up.is_regular()) return false;
    if ((gate.bias == nullptr) != (up.bias == nullptr)) return false;
    const int64_t rows = glu->ne[0];
    if (out->rows != (merged ? 2 * rows : rows) || glu->ne[1] != gate.node->ne[1] || glu->ne[2] != gate.node->ne[2])
        return false;

    const ggml_tensor *members[6];
    int n = 0;
    for (const ggml_tensor *t : {gate.node, gate.sum, merged ? nullptr : up.node, merged ? nullptr : up.sum,
                                 viewed ? first : nullptr, viewed ? second : nullptr}) {
        if (t != nullptr) members[n++] = t;
    }
    if (!gather(nodes, last, members, n, group) || !can_fuse(graph, *group, nodes)) return false;

    int64_t gate_row = 0, up_row = 0;
    if (viewed) {
        const ggml_tensor *both = first->src[0];
        if (!is_half(first, both) || !is_half(second, both)) return false;
        gate_row = first->data == both->data ? 0 : rows;
        up_row = second->data == both->data ? 0 : rows;
    } else if (merged) {
        const bool swapped = glu->op_params[1] != 0;
        (swapped ? gate_row : up_row) = rows;
    }
    out->rows = static_cast<int>(rows);
    out->weights += static_cast<size_t>(gate_row) * out->row_bytes;
    out->up = other.weights + static_cast<size_t>(up_row) * out->row_bytes;
    out->unit = unit;
    out->gate = isa.gate;
    if (gate.bias != nullptr) {
        out->gate_bias = bytes(gate.bias) + static_cast<size_t>(gate_row) * sizeof(float);
        out->gate_bias_stride = gate.bias->nb[1];
        out->up_bias = bytes(up.bias) + static_cast<size_t>(up_row) * sizeof(float);
        out->up_bias_stride = up.bias->nb[1];
    }
    out->out = static_cast<uint8_t *>(glu->data);
    out->out_slot_stride = glu->nb[1];
    out->out_token_stride = glu->nb[2];
    const ggml_tensor *ids = gate.node->op == GGML_OP_MUL_MAT_ID ? gate.node->src[2] : nullptr;
    const bool over_activations = overlap(glu, gate.node->src[1]);
    out->out_over_input = over_activations || (ids != nullptr && overlap(glu, ids));
    return !over_activations || out->kern->quantize != nullptr;
}

bool match_weighted_sum(ggml_cgraph *graph, int first, weighted_sum *out, node_group *group) {
    ggml_tensor *const *nodes = ggml_graph_nodes(graph);
    const ggml_tensor *product = nodes[first];
    if (product->op != GGML_OP_MUL || !is_computed(product) || product->type != GGML_TYPE_F32) return false;
    const ggml_tensor *in = product->src[0], *weights = product->src[1];
    const int64_t rows = product->ne[0], used = product->ne[1], tokens = product->ne[2];
    const int64_t n = 2 * used;  // the product, its views, and one addition less
    if (used < 2 || n > node_group::most || first + n > ggml_graph_n_nodes(graph) || product->ne[3] != 1) return false;
    if (in->type != GGML_TYPE_F32 || weights->type != GGML_TYPE_F32 || !ggml_are_same_shape(in, product)) return false;
    if (weights->ne[0] != 1 || weights->ne[1] != used || weights->ne[2] != tokens || weights->ne[3] != 1) return false;
    if (in->nb[0] != sizeof(float) || in->data == nullptr || weights->data == nullptr || ggml_is_empty(product))
        return false;

    ggml_tensor *const *views = nodes + first + 1;
    ggml_tensor *const *sums = views + used;
    for (int64_t u = 0; u < used; u++) {
        const ggml_tensor *v = views[u];
        if (v->op != GGML_OP_VIEW || v->src[0] != product || v->ne[0] != rows || v->ne[1] != tokens || v->ne[2] != 1 ||
            v->ne[3] != 1 || v->nb[1] != product->nb[2] ||
            bytes(v) != bytes(product) + static_cast<size_t>(u) * product->nb[1])
            return false;
    }
    for (int64_t i = 0; i + 1 < used; i++) {
        const ggml_tensor *before = i == 0 ? views[0] : sums[i - 1];
        if (sums[i]->op != GGML_OP_ADD || sums[i]->src[0] != before || sums[i]->src[1] != views[i + 1]) return false;
    }
    group->n = static_cast<int>(n);
    for (int i = 0; i < group->n; i++) group->nodes[i] = first + i;
    const ggml_tensor *sum = nodes[first + n - 1];
    if (!can_fuse(graph, *group, nodes) || sum->type != GGML_TYPE_F32 || sum->nb[0] != sizeof(float)) return false;
    // Threads read on while others write.
    if (sum->data == nullptr || overlap(sum, in) || overlap(sum, weights)) return false;
    *out = {bytes(in),
            in->nb[1],
            in->nb[2],
            bytes(weights),
            weights->nb[1],
            weights->nb[2],
            static_cast<uint8_t *>(sum->data),
            sum->nb[1],
            rows,
            static_cast<int>(used),
            tokens};
    return true;
}

}  // namespace panallama
