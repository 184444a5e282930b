#include "cpu.h"

#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace panallama {

namespace {

#if defined(__linux__)

// Bits of Linux's 64-bit Arm ABI (asm/hwcap.h), which older headers lack.
bool has_sdot() { return (getauxval(AT_HWCAP) & 1ul << 20) != 0; }

bool has_smmla() { return (getauxval(AT_HWCAP2) & 1ul << 13) != 0; }

#elif defined(__APPLE__)

bool has_feature(const char *name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

bool has_sdot() { return has_feature("hw.optional.arm.FEAT_DotProd"); }

bool has_smmla() { return has_feature("hw.optional.arm.FEAT_I8MM"); }

#else

bool has_sdot() { return false; }

bool has_smmla() { return false; }

#endif

}  // namespace

bool cpu_has_dotprod() { return has_sdot(); }

bool cpu_has_i8mm() { return has_sdot() && has_smmla(); }

}  // namespace panallama
