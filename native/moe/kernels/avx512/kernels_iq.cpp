#include "../families.h"
#include "kernels_by_family.h"
#include "multiply.h"
#include "rows_iq.h"
#include "unpack_iq.h"

namespace panallama::avx512 {

const kernel *find_iq(format f) { return iq_family::find<kernel_of>(f); }

}  // namespace panallama::avx512
