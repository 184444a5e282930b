#pragma once

#include <type_traits>

// For functions and lambdas that hold vectors by reference: inlined late, they would leave those in memory.
#define PANALLAMA_INLINE __attribute__((always_inline))

namespace panallama {

template <int N> using index = std::integral_constant<int, N>;

// Calls f(index<0>), f(index<1>), ... f(index<N - 1>).
template <int N, class F> inline PANALLAMA_INLINE void repeat(F &&f) {
    if constexpr (N > 0) {
        repeat<N - 1>(f);
        f(index<N - 1>{});
    }
}

}  // namespace panallama
