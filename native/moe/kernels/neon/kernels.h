#pragma once

#include "../kernel.h"

namespace panallama::neon {

// Kernels for Armv8.2 with signed dot products (SDOT): Cortex-A76, Neoverse N1, Apple M1 and later.
namespace dotprod {
const kernel *find(format f);
}

// The same, and 2x2 matrix products (SMMLA) where there are several columns: Neoverse V1 and N2, Apple M2 and later.
namespace i8mm {
const kernel *find(format f);
}

}  // namespace panallama::neon
