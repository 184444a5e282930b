#include "../gated_unit_by_width.h"
#include "kernels.h"

namespace panallama::avx512 {

void gate(const gated_unit &unit, const gated_rows &rows) { gate_rows<16>(unit, rows); }

}  // namespace panallama::avx512
