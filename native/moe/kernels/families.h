// The families of formats that share code: each is one translation unit of an instruction set.
#pragma once

#include "kernel.h"

namespace panallama {

template <format... Formats> struct family {
    // Kernel<F>::value is an instruction set's kernel of F. Kernel lies in that set's namespace, and so do this
    // function's instances. Null for formats of another family.
    template <template <format> class Kernel> static const kernel *find(format f) {
        const kernel *found = nullptr;
        ((f == Formats ? void(found = &Kernel<Formats>::value) : void()), ...);
        return found;
    }
};

using small_family = family<format::q8_0, format::q4_0, format::q5_0, format::iq4_nl, format::mxfp4>;
using k_family = family<format::q2_k, format::q3_k, format::q4_k, format::q5_k, format::q6_k>;
using iq_family = family<format::iq4_xs, format::iq3_xxs, format::iq2_xs, format::iq2_xxs>;

}  // namespace panallama
