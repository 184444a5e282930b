// What our kernels recognize in a graph: single multiplications, gated units and the sums of experts' outputs.
#pragma once

#include "../dispatch/kernel_table.h"
#include "../dispatch/matmul.h"
#include "../dispatch/weighted_sum.h"
#include "ggml.h"

namespace panallama {

// Nodes of a graph that one node of ours stands for. The last one keeps its place and result.
struct node_group {
    static constexpr int most = 64;
    int nodes[most];  // ascending
    int n = 0;
};

// A multiplication alone.
bool match_matmul(const ggml_tensor *node, const instruction_set &isa, matmul_shape *out);

// Gate and up multiplications of the same activations, or one with both in its rows; biases; and, at node `last`, the
// gated linear unit.
bool match_gated_unit(ggml_cgraph *graph, int last, const instruction_set &isa, matmul_shape *out, node_group *group);

// From node `first` on: experts' outputs times their router weights, and the additions of one token's experts.
bool match_weighted_sum(ggml_cgraph *graph, int first, weighted_sum *out, node_group *group);

}  // namespace panallama
