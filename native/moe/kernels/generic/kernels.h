#pragma once

#include "../gated_unit.h"
#include "../kernel.h"

namespace panallama::generic {

// Portable kernels: the reference that every instruction set is tested against.
const kernel *find(format f);
void gate(const gated_unit &unit, const gated_rows &rows);

}  // namespace panallama::generic
