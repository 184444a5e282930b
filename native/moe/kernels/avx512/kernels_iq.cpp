#include "kernels_by_family.h"
#include "multiply.h"
#include "rows_iq.h"
#include "unpack_iq.h"

namespace panallama::avx512 {

const kernel *find_iq(format f) {
    static constexpr kernel iq4_xs = make_kernel<format::iq4_xs>();
    static constexpr kernel iq3_xxs = make_kernel<format::iq3_xxs>();
    static constexpr kernel iq2_xs = make_kernel<format::iq2_xs>();
    static constexpr kernel iq2_xxs = make_kernel<format::iq2_xxs>();
    switch (f) {
        case format::iq4_xs:
            return &iq4_xs;
        case format::iq3_xxs:
            return &iq3_xxs;
        case format::iq2_xs:
            return &iq2_xs;
        case format::iq2_xxs:
            return &iq2_xxs;
        default:
            return nullptr;
    }
}

}  // namespace panallama::avx512
