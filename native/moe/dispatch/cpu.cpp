#include "cpu.h"

#if defined(__x86_64__) || defined(_M_X64)
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif

namespace panallama {

namespace {

struct registers {
    unsigned a, b, c, d;
};

registers cpuid(unsigned leaf, unsigned subleaf) {
    registers r{};
#ifdef _MSC_VER
    int v[4];
    __cpuidex(v, static_cast<int>(leaf), static_cast<int>(subleaf));
    r = {static_cast<unsigned>(v[0]), static_cast<unsigned>(v[1]), static_cast<unsigned>(v[2]),
         static_cast<unsigned>(v[3])};
#else
    __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
#endif
    return r;
}

// The register state that the operating system saves on a context switch.
unsigned saved_state() {
    constexpr unsigned osxsave = 1u << 27;
    if ((cpuid(1, 0).c & osxsave) == 0) return 0;
#ifdef _MSC_VER
    return static_cast<unsigned>(_xgetbv(0));
#else
    unsigned low;
    unsigned high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
#endif
}

constexpr bool all(unsigned value, unsigned bits) { return (value & bits) == bits; }

}  // namespace

bool cpu_has_avx2() {
    constexpr unsigned fma = 1u << 12;
    constexpr unsigned f16c = 1u << 29;
    constexpr unsigned avx2 = 1u << 5;
    return cpuid(0, 0).a >= 7 && all(saved_state(), 0x6) && all(cpuid(1, 0).c, fma | f16c) && all(cpuid(7, 0).b, avx2);
}

bool cpu_has_avx_vnni() {
    constexpr unsigned vnni = 1u << 4;
    return cpu_has_avx2() && cpuid(7, 0).a >= 1 && all(cpuid(7, 1).a, vnni);
}

bool cpu_has_avx512_vnni() {
    constexpr unsigned f = 1u << 16;
    constexpr unsigned dq = 1u << 17;
    constexpr unsigned bw = 1u << 30;
    constexpr unsigned vl = 1u << 31;
    constexpr unsigned vbmi = 1u << 1;
    constexpr unsigned gfni = 1u << 8;
    constexpr unsigned vnni = 1u << 11;
    return cpu_has_avx2() && all(saved_state(), 0xe6) && all(cpuid(7, 0).b, f | dq | bw | vl) &&
           all(cpuid(7, 0).c, vbmi | gfni | vnni);
}

}  // namespace panallama

#else

namespace panallama {

bool cpu_has_avx2() { return false; }

bool cpu_has_avx_vnni() { return false; }

bool cpu_has_avx512_vnni() { return false; }

}  // namespace panallama

#endif
