#pragma once

#include "../gated_unit.h"
#include "../kernel.h"

namespace panallama::neon {

// Kernels for Armv8.2 with signed dot products (SDOT): Cortex-A76, Neoverse N1, Apple M1 and later.
namespace dotprod {
const kernel *find(format f);
void gate(const gated_unit &unit, const gated_rows &rows);
int64_t multiply_adds(int64_t rounds);
}  // namespace dotprod

// The same, and 2x2 matrix products (SMMLA) where there are several columns: Neoverse V1 and N2, Apple M2 and later.
namespace i8mm {
const kernel *find(format f);
void gate(const gated_unit &unit, const gated_rows &rows);
int64_t multiply_adds(int64_t rounds);
}  // namespace i8mm

}  // namespace panallama::neon
