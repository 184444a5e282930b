#include "../families.h"
#include "kernels_by_family.h"
#include "multiply.h"
#include "rows_small.h"
#include "unpack_small.h"

namespace panallama::avx512 {

const kernel *find_small(format f) { return small_family::find<kernel_of>(f); }

}  // namespace panallama::avx512
