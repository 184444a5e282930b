// Hands the multiplications of a graph that our kernels know to them, for the length of one computation.
#pragma once

#include <deque>
#include <vector>

#include "../dispatch/kernel_table.h"
#include "../dispatch/matmul.h"
#include "ggml.h"

namespace panallama {

// Grows, never shrinks; aligned to a cache line.
class aligned_buffer {
  public:
    aligned_buffer() = default;
    aligned_buffer(aligned_buffer &&other) noexcept;
    aligned_buffer(const aligned_buffer &) = delete;
    aligned_buffer &operator=(const aligned_buffer &) = delete;
    ~aligned_buffer();

    bool reserve(size_t bytes);  // contents are lost when it grows
    void *data() const { return data_; }

  private:
    void *data_ = nullptr;
    size_t bytes_ = 0;
};

// What one backend keeps between graphs.
class workspace {
  public:
    // Memory for `needs` and `threads` threads; null when there is not enough.
    const matmul_memory *prepare(const matmul_needs &needs, int threads);

  private:
    aligned_buffer activations_, columns_, expert_begin_, expert_cursor_;
    std::vector<aligned_buffer> per_thread_;
    std::vector<uint8_t *> thread_;
    matmul_memory memory_{};
};

// While it lives, nodes that our kernels take are GGML_OP_CUSTOM; its destructor puts back what they were.
class graph_rewrite {
  public:
    graph_rewrite(ggml_cgraph *graph, const instruction_set &isa, workspace *memory, int threads);
    graph_rewrite(const graph_rewrite &) = delete;
    graph_rewrite &operator=(const graph_rewrite &) = delete;
    ~graph_rewrite();

    // How many nodes of this operation our kernels compute.
    int64_t taken(ggml_op op) const;

  private:
    struct saved_node {
        ggml_tensor *node;
        ggml_op op;
        int32_t op_params[GGML_MAX_OP_PARAMS / sizeof(int32_t)];
    };

    std::vector<saved_node> saved_;
    std::deque<matmul> multiplications_;
};

}  // namespace panallama
