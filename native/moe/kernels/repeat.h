#pragma once

#include <type_traits>

namespace panallama {

template <int N> using index = std::integral_constant<int, N>;

// Calls f(index<0>), f(index<1>), ... f(index<N - 1>).
template <int N, class F> inline __attribute__((always_inline)) void repeat(F &&f) {
    if constexpr (N > 0) {
        repeat<N - 1>(f);
        f(index<N - 1>{});
    }
}

}  // namespace panallama
