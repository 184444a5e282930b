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

// Weights that one work item reads where there are few columns: the longer a stream, the better memory serves it, as
// long as every thread has enough items for all to end together. Chosen on two threads of a Zen 5, decoding: with 2 MB
// instead of 128 KB it is 5 % (Q8_0) to 15 % (Q4_K) faster for a hidden size of 4096, 9 % for 2048; 1 MB gives 1 %
// less.
constexpr int64_t item_bytes = 2 * 1024 * 1024;
constexpr int64_t items_per_thread = 8;

constexpr size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

int64_t steps_of(int64_t k) { return (k + step - 1) / step; }

void pause_thread() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Products of a gate and an up matrix that wait for each other, in floats: 64 KB. 256 columns of a panel of 32 rows, as
// many as the kernels multiply in one pass; fewer of longer work items.
constexpr int gated_products = 2 * 8192;
constexpr int gated_columns = 256;

}  // namespace

// Splits the private memory of a thread.
struct matmul::private_memory {
    activation_step *activations;
    column *columns;
    int32_t *begin;
    int32_t *cursor;
    column *gated;    // [gated_columns], and
    float *products;  // [gated_products]: only where there is a gated unit
    void *scratch;

    static constexpr size_t activation_bytes = small_steps * sizeof(activation_step);
    static constexpr size_t column_bytes = small_columns * sizeof(column);
    static constexpr size_t index_bytes = round_up((small_experts + 1) * sizeof(int32_t), cache_line);
    static constexpr size_t bytes = activation_bytes + column_bytes + 2 * index_bytes;
    static constexpr size_t gated_column_bytes = gated_columns * sizeof(column);
    static constexpr size_t gated_bytes = gated_column_bytes + gated_products * sizeof(float);

    private_memory(uint8_t *p, bool is_gated)
        : activations(reinterpret_cast<activation_step *>(p)),
          columns(reinterpret_cast<column *>(p + activation_bytes)),
          begin(reinterpret_cast<int32_t *>(p + activation_bytes + column_bytes)),
          cursor(reinterpret_cast<int32_t *>(p + activation_bytes + column_bytes + index_bytes)),
          gated(is_gated ? reinterpret_cast<column *>(p + bytes) : nullptr),
          products(is_gated ? reinterpret_cast<float *>(p + bytes + gated_column_bytes) : nullptr),
          scratch(p + bytes + (is_gated ? gated_bytes : 0)) {}
};

// Some rows of an expert.
struct matmul::item {
    int expert;  // -1 after the last
    int row;
    int rows;
    const column *columns;
    int n_columns;
};

matmul_needs needs_of(const matmul_shape &shape) {
    const int64_t slots = shape.kern->quantize == nullptr ? 0 : shape.slots * shape.tokens;
    return {steps_of(shape.k) * slots, shape.tokens * shape.used, shape.experts, matmul::thread_bytes(shape)};
}

bool matmul_shape::is_small() const {
    return !out_over_input && steps_of(k) * slots * tokens <= small_steps && tokens * used <= small_columns &&
           experts <= small_experts;
}

size_t matmul::thread_bytes(const matmul_shape &shape) {
    static_assert(private_memory::bytes % cache_line == 0 && private_memory::gated_bytes % cache_line == 0,
                  "the kernels' scratch stays aligned");
    return private_memory::bytes + (shape.is_gated() ? private_memory::gated_bytes : 0) +
           round_up(shape.kern->scratch_bytes, cache_line);
}

// Quantizes slots [first, last) of the [tokens][slots] activations.
void matmul::quantize_slots(activation_step *out, int64_t first, int64_t last) const {
    if (shape_.kern->quantize == nullptr) return;
    const int64_t total = shape_.slots * shape_.tokens;
    const activation_source source = shape_.source();
    for (int64_t i = first; i < last; i++) shape_.kern->quantize(source.at(i), shape_.k, out + i, total);
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

int matmul::item_rows(int64_t columns, int threads) const {
    const int panel = shape_.kern->panel_rows;
    if (columns == 0 || columns > small_columns) return panel;
    const int64_t experts = std::min<int64_t>(columns, shape_.experts);
    int64_t rows = std::min(item_bytes / static_cast<int64_t>(shape_.row_bytes * (shape_.is_gated() ? 2 : 1)),
                            shape_.rows * experts / (threads * items_per_thread));
    if (shape_.is_gated()) rows = std::min(rows, gated_products / 2 / columns);
    return std::max(static_cast<int>(rows) / panel, 1) * panel;
}

// Multiplies the same rows of both matrices for some columns at a time, and writes what the gated unit makes of them.
void matmul::multiply_gated(const product &gate, const item &at, int rows_per_item, const private_memory &own) const {
    const int stride = 2 * rows_per_item;  // a column's products: those of the gate, then those of up
    const int most = std::min(gated_columns, gated_products / stride);
    const int passes = (at.n_columns + most - 1) / most;
    const auto expert = static_cast<size_t>(at.expert);
    const size_t skipped =
        static_cast<size_t>(at.expert) * shape_.expert_bytes + static_cast<size_t>(at.row) * shape_.row_bytes;
    product p = gate;
    p.out_row = 0;
    p.columns = own.gated;
    gated_rows rows{};
    rows.n = at.rows;
    if (shape_.gate_bias != nullptr) {
        rows.gate_bias = reinterpret_cast<const float *>(shape_.gate_bias + expert * shape_.gate_bias_stride) + at.row;
        rows.up_bias = reinterpret_cast<const float *>(shape_.up_bias + expert * shape_.up_bias_stride) + at.row;
    }
    for (int pass = 0; pass < passes; pass++) {
        const int first = at.n_columns * pass / passes;
        const int n = at.n_columns * (pass + 1) / passes - first;
        for (int c = 0; c < n; c++) own.gated[c] = {at.columns[first + c].token, own.products + c * stride};
        p.n_columns = n;
        p.weights = shape_.weights + skipped;
        p.out_row = 0;
        p.next = shape_.up + skipped;
        shape_.kern->multiply(p);
        p.weights = shape_.up + skipped;
        p.out_row = rows_per_item;
        p.next = pass + 1 < passes ? shape_.weights + skipped : gate.next;
        shape_.kern->multiply(p);
        for (int c = 0; c < n; c++) {
            rows.gate = own.products + c * stride;
            rows.up = rows.gate + rows_per_item;
            rows.out = at.columns[first + c].out + at.row;
            shape_.gate(shape_.unit, rows);
        }
    }
}

// Hands out panels of rows, expert by expert, to whichever thread is free. A thread knows its next panel before it
// begins one, so that the kernel can fetch ahead across panel and expert ends.
void matmul::multiply(const grouping &g, const private_memory &own, int threads) const {
    const int rows_per_item = item_rows(g.expert_begin[shape_.experts], threads);
    const int items = (shape_.rows + rows_per_item - 1) / rows_per_item;

    int expert = -1;  // experts in use are visited in order, as the item numbers grow
    int64_t before = -items;
    const auto take = [&]() -> item {
        const int64_t number = progress_->next_item.fetch_add(1, std::memory_order_relaxed);
        while (number >= before + items) {
            do {
                if (++expert == shape_.experts) return {-1, 0, 0, nullptr, 0};
            } while (g.expert_begin[expert] == g.expert_begin[expert + 1]);
            before += items;
        }
        const int row = static_cast<int>(number - before) * rows_per_item;
        return {expert, row, std::min(rows_per_item, shape_.rows - row), g.columns + g.expert_begin[expert],
                g.expert_begin[expert + 1] - g.expert_begin[expert]};
    };
    const auto weights_of = [&](const item &at) {
        return shape_.weights + static_cast<size_t>(at.expert) * shape_.expert_bytes +
               static_cast<size_t>(at.row) * shape_.row_bytes;
    };

    product p{};
    p.row_bytes = shape_.row_bytes;
    p.steps = static_cast<int>(steps_of(shape_.k));
    p.tail_blocks = static_cast<int>(shape_.k % step / 32);
    p.activations = g.activations;
    p.source = shape_.source();
    p.tokens = shape_.slots * shape_.tokens;
    p.scratch = own.scratch;
    item at = take();
    while (at.expert >= 0) {
        const item next = take();
        p.weights = weights_of(at);
        p.rows = at.rows;
        p.next = next.expert >= 0 ? weights_of(next) : nullptr;
        p.out_row = at.row;
        p.columns = at.columns;
        p.n_columns = at.n_columns;
        if (shape_.is_gated()) {
            multiply_gated(p, at, rows_per_item, own);
        } else {
            shape_.kern->multiply(p);
        }
        at = next;
    }
}

void matmul::wait_for_all(int threads) const {
    std::atomic<int> &arrived = progress_->arrived;
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) return;
    for (int spins = 0; arrived.load(std::memory_order_acquire) < threads; spins++) {
        // With more threads than cores the missing one may be waiting for this one's core.
        if (spins < 4096) {
            pause_thread();
        } else {
            std::this_thread::yield();
        }
    }
}

void matmul::run(int thread, int threads) const {
    threads = std::min(threads, memory_->n_threads);
    if (thread >= threads) return;  // there is no memory for it
    const private_memory own(memory_->thread[thread], shape_.is_gated());
    const int64_t slots = shape_.slots * shape_.tokens;
    if (shape_.is_small()) {
        group_columns(own.columns, own.begin, own.cursor);
        if (!shape_.activations_ready) quantize_slots(own.activations, 0, slots);
        multiply({own.activations, own.columns, own.begin}, own, threads);
        return;
    }
    if (thread == threads - 1) group_columns(memory_->columns, memory_->expert_begin, memory_->expert_cursor);
    if (!shape_.activations_ready) {
        quantize_slots(memory_->activations, slots * thread / threads, slots * (thread + 1) / threads);
    }
    if (threads > 1) wait_for_all(threads);
    multiply({memory_->activations, memory_->columns, memory_->expert_begin}, own, threads);
}

}  // namespace panallama
