// What one backend keeps between graphs: memory that grows to what the largest batch needs, and is freed with the
// backend.
#pragma once

#include <cstddef>
#include <vector>

#include "../dispatch/matmul.h"

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
    size_t bytes() const { return bytes_; }

  private:
    void *data_ = nullptr;
    size_t bytes_ = 0;
};

class workspace {
  public:
    // Memory for `needs` and `threads` threads; null when there is not enough.
    const matmul_memory *prepare(const matmul_needs &needs, int threads);

    // `n` that nobody has begun; the same ones with every call.
    progress *unbegun(size_t n);

    size_t bytes() const;

  private:
    aligned_buffer activations_, columns_, expert_begin_, expert_cursor_;
    std::vector<aligned_buffer> per_thread_;
    std::vector<uint8_t *> thread_;
    std::vector<progress> progress_;
    matmul_memory memory_{};
};

}  // namespace panallama
