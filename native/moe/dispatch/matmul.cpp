#include "matmul.h"

#include <algorithm>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace panallama {

namespace {

constexpr size_t cache_line = 64;

// Below this much quantization every thread does all of it for itself: quantizing 32768 values takes about 3 us,
// as long as a barrier of two threads (Zen 5, 4 GHz).
constexpr int64_t small_steps = 128;
constexpr int64_t small_columns = 64;
constexpr int64_t small_experts = 256;

// Weights that one work item should read when there are few columns: about 4 us of memory traffic.
constexpr size_t item_bytes = 128 * 1024;

constexpr size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

int64_t steps_of(int64_t k) { return (k + step - 1) / step; }

void pause_thread() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Splits the private memory of a thread.
struct private_memory {
    activation_step *activations;
    column *columns;
    int32_t *begin;
    int32_t *cursor;
    void *scratch;

    static constexpr size_t activation_bytes = small_steps * sizeof(activation_step);
    static constexpr size_t column_bytes = small_columns * sizeof(column);
    static constexpr size_t index_bytes = round_up((small_experts + 1) * sizeof(int32_t), cache_line);
    static constexpr size_t bytes = activation_bytes + column_bytes + 2 * index_bytes;

    explicit private_memory(uint8_t *p)
        : activations(reinterpret_cast<activation_step *>(p)),
          columns(reinterpret_cast<column *>(p + activation_bytes)),
          begin(reinterpret_cast<int32_t *>(p + activation_bytes + column_bytes)),
          cursor(reinterpret_cast<int32_t *>(p + activation_bytes + column_bytes + index_bytes)),
          scratch(p + bytes) {}
};
static_assert(private_memory::bytes % cache_line == 0, "the kernels' scratch stays aligned");

}  // namespace

matmul_needs needs_of(const matmul_shape &shape) {
    return {steps_of(shape.k) * shape.slots * shape.tokens, shape.tokens * shape.used, shape.experts,
            private_memory::bytes + round_up(shape.kern->scratch_bytes, cache_line)};
}

bool matmul::is_small() const {
    return steps_of(shape_.k) * shape_.slots * shape_.tokens <= small_steps &&
           shape_.tokens * shape_.used <= small_columns && shape_.experts <= small_experts;
}

// Quantizes slots [first, last) of the [tokens][slots] activations.
void matmul::quantize_slots(activation_step *out, int64_t first, int64_t last) const {
    const int64_t total = shape_.slots * shape_.tokens;
    for (int64_t i = first; i < last; i++) {
        const uint8_t *x = shape_.activations + static_cast<size_t>(i % shape_.slots) * shape_.slot_stride +
                           static_cast<size_t>(i / shape_.slots) * shape_.token_stride;
        shape_.kern->quantize(reinterpret_cast<const float *>(x), shape_.k, out + i, total);
    }
}

// Counting sort of the (token, used expert) pairs by expert. Ids out of range are left out.
void matmul::group_columns(column *columns, int32_t *begin, int32_t *cursor) const {
    const auto expert_of = [this](int64_t t, int u) {
        return shape_.ids == nullptr
                   ? 0
                   : *reinterpret_cast<const int32_t *>(shape_.ids + static_cast<size_t>(u) * shape_.id_stride +
                                                        static_cast<size_t>(t) * shape_.id_token_stride);
    };
    std::fill(cursor, cursor + shape_.experts, 0);
    for (int64_t t = 0; t < shape_.tokens; t++) {
        for (int u = 0; u < shape_.used; u++) {
            const int32_t e = expert_of(t, u);
            if (e >= 0 && e < shape_.experts) cursor[e]++;
        }
    }
    begin[0] = 0;
    for (int e = 0; e < shape_.experts; e++) {
        begin[e + 1] = begin[e] + cursor[e];
        cursor[e] = begin[e];
    }
    for (int64_t t = 0; t < shape_.tokens; t++) {
        for (int u = 0; u < shape_.used; u++) {
            const int32_t e = expert_of(t, u);
            if (e < 0 || e >= shape_.experts) continue;
            column &c = columns[cursor[e]++];
            c.token = static_cast<int32_t>(t * shape_.slots + u % shape_.slots);
            c.out = reinterpret_cast<float *>(shape_.out + static_cast<size_t>(u) * shape_.out_slot_stride +
                                              static_cast<size_t>(t) * shape_.out_token_stride);
        }
    }
}

// Hands out panels of rows, expert by expert, to whichever thread is free. A thread knows its next panel before it
// begins one, so that the kernel can fetch ahead across panel and expert ends.
void matmul::multiply(const grouping &g, void *scratch) {
    const int panel = shape_.kern->panel_rows;
    const int64_t columns = g.expert_begin[shape_.experts];
    int rows_per_item = panel;
    if (columns <= small_columns) {
        const auto wanted = static_cast<int>(item_bytes / shape_.row_bytes);
        rows_per_item = std::clamp(wanted / panel * panel, panel, 4 * panel);
    }
    const int items = (shape_.rows + rows_per_item - 1) / rows_per_item;

    struct place {
        int expert;
        int row;
    };
    int expert = -1;  // experts in use are visited in order, as the item numbers grow
    int64_t before = -items;
    const auto locate = [&](int64_t item) -> place {
        while (item >= before + items) {
            do {
                if (++expert == shape_.experts) return {-1, 0};
            } while (g.expert_begin[expert] == g.expert_begin[expert + 1]);
            before += items;
        }
        return {expert, static_cast<int>(item - before) * rows_per_item};
    };
    const auto weights_of = [&](const place &at) {
        return shape_.weights + static_cast<size_t>(at.expert) * shape_.expert_bytes +
               static_cast<size_t>(at.row) * shape_.row_bytes;
    };

    const auto tail = static_cast<int>(shape_.k % step / 32);
    place at = locate(next_item_.fetch_add(1, std::memory_order_relaxed));
    while (at.expert >= 0) {
        const place next = locate(next_item_.fetch_add(1, std::memory_order_relaxed));
        product p{};
        p.weights = weights_of(at);
        p.row_bytes = shape_.row_bytes;
        p.rows = std::min(rows_per_item, shape_.rows - at.row);
        p.steps = static_cast<int>(steps_of(shape_.k));
        p.tail_blocks = tail;
        p.activations = g.activations;
        p.tokens = shape_.slots * shape_.tokens;
        p.scratch = scratch;
        p.next = next.expert >= 0 ? weights_of(next) : nullptr;
        p.out_row = at.row;
        p.columns = g.columns + g.expert_begin[at.expert];
        p.n_columns = g.expert_begin[at.expert + 1] - g.expert_begin[at.expert];
        shape_.kern->multiply(p);
        at = next;
    }
}

void matmul::wait_for_all(int threads) {
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) return;
    for (int spins = 0; arrived_.load(std::memory_order_acquire) < threads; spins++) {
        // With more threads than cores the missing one may be waiting for this one's core.
        if (spins < 4096) {
            pause_thread();
        } else {
            std::this_thread::yield();
        }
    }
}

void matmul::run(int thread, int threads) {
    threads = std::min(threads, memory_->n_threads);
    if (thread >= threads) return;  // there is no memory for it
    private_memory own(memory_->thread[thread]);
    if (is_small()) {
        group_columns(own.columns, own.begin, own.cursor);
        quantize_slots(own.activations, 0, shape_.slots * shape_.tokens);
        multiply({own.activations, own.columns, own.begin}, own.scratch);
        return;
    }
    const int64_t slots = shape_.slots * shape_.tokens;
    if (thread == threads - 1) group_columns(memory_->columns, memory_->expert_begin, memory_->expert_cursor);
    quantize_slots(memory_->activations, slots * thread / threads, slots * (thread + 1) / threads);
    if (threads > 1) wait_for_all(threads);
    multiply({memory_->activations, memory_->columns, memory_->expert_begin}, own.scratch);
}

}  // namespace panallama
