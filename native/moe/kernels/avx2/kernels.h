#pragma once

#include "../gated_unit.h"
#include "../kernel.h"

// Kernels for AVX2, FMA and F16C: Haswell, Zen and later.
namespace panallama::avx2 {
const kernel *find(format f);
void gate(const gated_unit &unit, const gated_rows &rows);
int64_t multiply_adds(int64_t rounds);
}  // namespace panallama::avx2

// The same source with the dot product of AVX-VNNI: Alder Lake, Zen 5 and later.
namespace panallama::avxvnni {
const kernel *find(format f);
void gate(const gated_unit &unit, const gated_rows &rows);
int64_t multiply_adds(int64_t rounds);
}  // namespace panallama::avxvnni
