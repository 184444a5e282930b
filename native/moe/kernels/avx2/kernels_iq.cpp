#include "../families.h"
#include "kernels_by_family.h"
#include "multiply.h"
#include "unpack_iq.h"

namespace panallama::PANALLAMA_FLAVOUR {

const kernel *find_iq(format f) { return iq_family::find<kernel_of>(f); }

}  // namespace panallama::PANALLAMA_FLAVOUR
