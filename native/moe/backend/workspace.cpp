#include "workspace.h"

#include <cstdlib>
#include <utility>

namespace panallama {

namespace {

constexpr size_t cache_line = 64;

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

progress *workspace::unbegun(size_t n) {
    if (progress_.size() < n) progress_ = std::vector<progress>(n);
    for (size_t i = 0; i < n; i++) {
        progress_[i].arrived.store(0, std::memory_order_relaxed);
        progress_[i].next_item.store(0, std::memory_order_relaxed);
    }
    return progress_.data();
}

size_t workspace::bytes() const {
    size_t sum = activations_.bytes() + columns_.bytes() + expert_begin_.bytes() + expert_cursor_.bytes() +
                 progress_.size() * sizeof(progress);
    for (const aligned_buffer &b : per_thread_) sum += b.bytes();
    return sum;
}

}  // namespace panallama
