#include "kernels_by_family.h"
#include "multiply.h"
#include "rows_k.h"
#include "unpack_k.h"

namespace panallama::avx512 {

const kernel *find_k(format f) {
    static constexpr kernel q2_k = make_kernel<format::q2_k>();
    static constexpr kernel q3_k = make_kernel<format::q3_k>();
    static constexpr kernel q4_k = make_kernel<format::q4_k>();
    static constexpr kernel q5_k = make_kernel<format::q5_k>();
    static constexpr kernel q6_k = make_kernel<format::q6_k>();
    switch (f) {
        case format::q2_k:
            return &q2_k;
        case format::q3_k:
            return &q3_k;
        case format::q4_k:
            return &q4_k;
        case format::q5_k:
            return &q5_k;
        case format::q6_k:
            return &q6_k;
        default:
            return nullptr;
    }
}

}  // namespace panallama::avx512
