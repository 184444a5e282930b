#pragma once

#include "../kernel.h"

namespace panallama::avx512 {

// Null for formats of another family. Each family is one translation unit.
const kernel *find_small(format f);
const kernel *find_k(format f);
const kernel *find_iq(format f);
const kernel *find_float(format f);

}  // namespace panallama::avx512
