// One matrix multiplication of a graph, shared by the threads that compute the graph.
//
// SHAPES      weights [experts][rows][k], activations [slots][k], ids [tokens][used] or none
// DEFINITION  out of slot (t, u) = weights[ids[t][u]] * activations of slot (t, u)
#pragma once

#include <atomic>
#include <cstdint>

#include "../kernels/kernel.h"

namespace panallama {

struct matmul_shape {
    const kernel *kern;
    format weights_format;
    const uint8_t *weights;
    size_t row_bytes;
    size_t expert_bytes;
    int64_t k;
    int rows;
    int experts;

    // Activations: slot (a, t) at activations + a * slot_stride + t * token_stride; slots per token is 1 when all
    // used experts of a token read the same activations.
    const uint8_t *activations;
    int64_t slots;
    int64_t tokens;
    size_t slot_stride;
    size_t token_stride;

    // Expert ids: int32 at ids + u * id_stride + t * id_token_stride; null for a plain multiplication.
    const uint8_t *ids;
    int used;
    size_t id_stride;
    size_t id_token_stride;

    uint8_t *out;
    size_t out_slot_stride;
    size_t out_token_stride;
};

// Memory that the multiplications of one graph share, one after another.
struct matmul_memory {
    activation_step *activations;
    column *columns;
    int32_t *expert_begin;   // [experts + 1]: first column of each expert
    int32_t *expert_cursor;  // [experts]
    uint8_t *const *thread;  // [n_threads]: each thread_bytes, private
    int n_threads;
};

// What a multiplication needs of that memory.
struct matmul_needs {
    int64_t activation_steps;
    int64_t columns;
    int64_t experts;
    size_t thread_bytes;
};

matmul_needs needs_of(const matmul_shape &shape);

class matmul {
  public:
    matmul(const matmul_shape &shape, const matmul_memory *memory) : shape_(shape), memory_(memory) {}

    // Called once by each of `threads` threads; returns when this thread's share is done.
    void run(int thread, int threads);

  private:
    struct grouping {
        const activation_step *activations;
        const column *columns;
        const int32_t *expert_begin;
    };

    bool is_small() const;
    void quantize_slots(activation_step *out, int64_t first, int64_t last) const;
    void group_columns(column *columns, int32_t *begin, int32_t *cursor) const;
    void multiply(const grouping &g, void *scratch);
    void wait_for_all(int threads);

    matmul_shape shape_;
    const matmul_memory *memory_;
    std::atomic<int> arrived_{0};
    std::atomic<int64_t> next_item_{0};
};

}  // namespace panallama
