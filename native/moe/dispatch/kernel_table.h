// Which kernels run on this machine: an ordered table, best instruction set first.
#pragma once

#include "../kernels/gated_unit.h"
#include "../kernels/kernel.h"

namespace panallama {

struct instruction_set {
    const char *name;
    bool (*usable)();  // the CPU has it and the operating system saves its registers
    const kernel *(*find)(format f);
    gate_function gate;
    int64_t (*multiply_adds)(int64_t rounds);  // multiplies bytes in registers, and says how often; null: not known
    bool measured;                             // on real CPUs, where it was faster than llama.cpp's own kernels
};

// The best usable instruction set, or the one that `forced` names; null when that one is unknown or not usable.
const instruction_set *choose_instruction_set(const char *forced);

// Every instruction set of this build, best first, ending with a null name.
const instruction_set *instruction_sets();

// False when only the portable reference kernels fit: those are slower than llama.cpp's own.
bool is_accelerated(const instruction_set &isa);

}  // namespace panallama
