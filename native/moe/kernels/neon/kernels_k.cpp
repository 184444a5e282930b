#include "../families.h"
#include "kernels_by_family.h"
#include "multiply.h"
#include "unpack_k.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

const kernel *find_k(format f) { return k_family::find<kernel_of>(f); }

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
