#include "../families.h"
#include "kernels_by_family.h"
#include "multiply.h"
#include "rows_k.h"
#include "unpack_k.h"

namespace panallama::avx512 {

const kernel *find_k(format f) { return k_family::find<kernel_of>(f); }

}  // namespace panallama::avx512
