#pragma once

#include "../gated_unit.h"
#include "../kernel.h"

namespace panallama::avx512 {

// Kernels for AVX-512 F, BW, DQ, VL, VBMI, VNNI and GFNI: Ice Lake, Zen 4 and later.
const kernel *find(format f);
void gate(const gated_unit &unit, const gated_rows &rows);
int64_t multiply_adds(int64_t rounds);

}  // namespace panallama::avx512
