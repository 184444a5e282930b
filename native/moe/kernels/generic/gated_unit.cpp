#include "../gated_unit_by_width.h"
#include "kernels.h"

namespace panallama::generic {

void gate(const gated_unit &unit, const gated_rows &rows) { gate_rows<4>(unit, rows); }

}  // namespace panallama::generic
