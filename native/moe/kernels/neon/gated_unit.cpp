#include "../gated_unit_by_width.h"
#include "flavour.h"
#include "kernels.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

void gate(const gated_unit &unit, const gated_rows &rows) { gate_rows<4>(unit, rows); }

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
