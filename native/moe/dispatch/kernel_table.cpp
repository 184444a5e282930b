#include "kernel_table.h"

#include <cstring>

#include "../kernels/generic/kernels.h"
#include "cpu.h"
#ifdef PANALLAMA_X86
#include "../kernels/avx2/kernels.h"
#include "../kernels/avx512/kernels.h"
#endif
#ifdef PANALLAMA_ARM64
#include "../kernels/neon/kernels.h"
#endif

namespace panallama {

namespace {

bool always() { return true; }

constexpr instruction_set table[] = {
#ifdef PANALLAMA_X86
    {"avx512", cpu_has_avx512_vnni, avx512::find, avx512::gate, avx512::multiply_adds, true},
    {"avxvnni", cpu_has_avx_vnni, avxvnni::find, avxvnni::gate, avxvnni::multiply_adds, true},
    {"avx2", cpu_has_avx2, avx2::find, avx2::gate, avx2::multiply_adds, true},
#endif
#ifdef PANALLAMA_ARM64
    {"i8mm", cpu_has_i8mm, neon::i8mm::find, neon::i8mm::gate, neon::i8mm::multiply_adds, false},
    {"dotprod", cpu_has_dotprod, neon::dotprod::find, neon::dotprod::gate, neon::dotprod::multiply_adds, false},
#endif
    {"generic", always, generic::find, generic::gate, nullptr, false},
    {nullptr, nullptr, nullptr, nullptr, nullptr, false},
};

}  // namespace

const instruction_set *instruction_sets() { return table; }

const instruction_set *choose_instruction_set(const char *forced) {
    for (const instruction_set *isa = table; isa->name; isa++) {
        if (forced && strcmp(forced, isa->name) != 0) continue;
        if (isa->usable()) return isa;
    }
    return nullptr;
}

bool is_accelerated(const instruction_set &isa) { return isa.find != generic::find; }

}  // namespace panallama
