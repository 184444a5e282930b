#include "../gated_unit_by_width.h"
#include "flavour.h"
#include "kernels.h"

namespace panallama::PANALLAMA_FLAVOUR {

void gate(const gated_unit &unit, const gated_rows &rows) { gate_rows<8>(unit, rows); }

}  // namespace panallama::PANALLAMA_FLAVOUR
