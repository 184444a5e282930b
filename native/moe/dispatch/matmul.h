// One matrix multiplication of a graph, or two and the gated unit that they feed, shared by the threads that compute
// the graph.
//
// SHAPES      weights [experts][rows][k], activations [slots][k], ids [tokens][used] or none
// DEFINITION  out of slot (t, u) = weights[ids[t][u]] * activations of slot (t, u); with an up matrix, the gated unit
// of
//             that and of up[ids[t][u]] * the same activations
#pragma once

#include <atomic>
#include <cstdint>

#include "../kernels/gated_unit.h"
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
    bool out_over_input;  // writing the result destroys activations or ids

    // The node before this one quantized the same activations, and they are still there.
    bool activations_ready;

    // Of a gated unit, whose gate `weights` is; null for a multiplication alone.
    const uint8_t *up;  // strides as those of weights
    gated_unit unit;
    gate_function gate;
    const uint8_t *gate_bias, *up_bias;  // [experts][rows] floats; null when there are none
    size_t gate_bias_stride, up_bias_stride;

    activation_source source() const { return {activations, slots, slot_stride, token_stride}; }
    bool is_gated() const { return up != nullptr; }
    bool is_small() const;  // each thread quantizes all activations for itself
};

// How far the threads are with one node: changed by all of them, and so on a cache line of its own.
struct alignas(64) progress {
    std::atomic<int> arrived{0};
    std::atomic<int64_t> next_item{0};
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
    // `start` is as constructed, and of this node alone.
    matmul(const matmul_shape &shape, const matmul_memory *memory, progress *start)
        : shape_(shape), memory_(memory), progress_(start) {}

    static size_t thread_bytes(const matmul_shape &shape);

    // Called once by each of `threads` threads; returns when this thread's share is done.
    void run(int thread, int threads) const;

  private:
    struct grouping {
        const activation_step *activations;
        const column *columns;
        const int32_t *expert_begin;
    };
    struct item;
    struct private_memory;

    void quantize_slots(activation_step *out, int64_t first, int64_t last) const;
    void group_columns(column *columns, int32_t *begin, int32_t *cursor) const;
    int item_rows(int64_t columns, int threads) const;  // that a thread takes at a time
    void multiply(const grouping &g, const private_memory &own, int threads) const;
    void multiply_gated(const product &gate, const item &at, int rows_per_item, const private_memory &own) const;
    void wait_for_all(int threads) const;

    matmul_shape shape_;
    const matmul_memory *memory_;
    progress *progress_;
};

}  // namespace panallama
