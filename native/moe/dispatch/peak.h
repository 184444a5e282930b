// How fast the cores can multiply: what a kernel's speed is held against.
#pragma once

#include "kernel_table.h"

namespace panallama {

// Multiply-adds of bytes a second, by an instruction set's own instruction in registers, on some threads at once: the
// best of a few rounds, a fifth of a second together. 0 for the portable kernels.
double peak_multiply_adds(const instruction_set &isa, int threads);

}  // namespace panallama
