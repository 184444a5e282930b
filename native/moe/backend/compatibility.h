#pragma once

#include "../kernels/format.h"
#include "ggml.h"

namespace panallama {

// Whether the ggml in this process is the one these kernels were built for: version, operation and type numbers,
// block layouts, codebooks. ggml's backend API version guards none of these. When not, `why` says what differs.
bool is_compatible(char *why, size_t size);

ggml_type type_of(format f);

// False for types without kernels.
bool format_of(ggml_type type, format *out);

}  // namespace panallama
