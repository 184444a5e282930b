#include "kernels_by_family.h"
#include "multiply.h"
#include "rows_small.h"
#include "unpack_small.h"

namespace panallama::avx512 {

const kernel *find_small(format f) {
    static constexpr kernel q8_0 = make_kernel<format::q8_0>();
    static constexpr kernel q4_0 = make_kernel<format::q4_0>();
    static constexpr kernel q5_0 = make_kernel<format::q5_0>();
    static constexpr kernel iq4_nl = make_kernel<format::iq4_nl>();
    static constexpr kernel mxfp4 = make_kernel<format::mxfp4>();
    switch (f) {
        case format::q8_0:
            return &q8_0;
        case format::q4_0:
            return &q4_0;
        case format::q5_0:
            return &q5_0;
        case format::iq4_nl:
            return &iq4_nl;
        case format::mxfp4:
            return &mxfp4;
        default:
            return nullptr;
    }
}

}  // namespace panallama::avx512
