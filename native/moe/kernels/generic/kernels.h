#pragma once

#include "../kernel.h"

namespace panallama::generic {

// Portable kernels: the reference that every instruction set is tested against.
const kernel *find(format f);

}  // namespace panallama::generic
