// Hands what our kernels know of a graph to them, for the length of one computation.
#pragma once

#include <vector>

#include "../dispatch/kernel_table.h"
#include "../dispatch/matmul.h"
#include "../dispatch/weighted_sum.h"
#include "ggml.h"
#include "node_patterns.h"
#include "workspace.h"

namespace panallama {

// What a backend's kernels have computed.
struct computed_counts {
    int64_t dense = 0, expert = 0;  // multiplications: MUL_MAT, MUL_MAT_ID
    int64_t gated = 0;              // gated units, with two of those multiplications or a merged one each
    int64_t sums = 0;               // weighted sums of experts' outputs

    computed_counts &operator+=(const computed_counts &more);
};

// While a graph is begun, each node that our kernels compute is a GGML_OP_CUSTOM, and those that one of these stands
// for are GGML_OP_NONE, which nobody computes or waits for. Keeps its memory from graph to graph: a token allocates
// nothing.
class graph_rewrite {
  public:
    // Changes the graph's nodes. Where memory is short it may throw, and has changed none.
    void begin(ggml_cgraph *graph, const instruction_set &isa, int threads);
    // Puts back what they were. Called after every begin(), however the computation ended.
    void end();

    const computed_counts &counts() const { return counts_; }
    size_t scratch_bytes() const { return memory_.bytes(); }

  private:
    struct saved_node {
        ggml_tensor *node;
        ggml_op op;
        int32_t op_params[GGML_MAX_OP_PARAMS / sizeof(int32_t)];
    };
    struct found_matmul {
        int node;
        const ggml_tensor *activations;
        matmul_shape shape;
    };
    struct found_sum {
        int node;
        weighted_sum sum;
    };

    void find_groups(ggml_cgraph *graph, const instruction_set &isa);
    void find_multiplications(ggml_cgraph *graph, const instruction_set &isa);
    void share_activations(ggml_cgraph *graph);
    void replace(ggml_tensor *node, ggml_custom_op_t function, const void *user);
    void save(ggml_tensor *node);

    workspace memory_;
    computed_counts counts_;
    std::vector<found_matmul> matmuls_;
    std::vector<found_sum> sums_;
    std::vector<bool> in_group_;
    std::vector<ggml_tensor *> swallowed_;  // of the groups, all but each last node
    std::vector<matmul> multiplications_;
    std::vector<saved_node> saved_;
};

}  // namespace panallama
