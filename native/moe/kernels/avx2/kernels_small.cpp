#include "../families.h"
#include "kernels_by_family.h"
#include "multiply.h"
#include "unpack_small.h"

namespace panallama::PANALLAMA_FLAVOUR {

const kernel *find_small(format f) { return small_family::find<kernel_of>(f); }

}  // namespace panallama::PANALLAMA_FLAVOUR
