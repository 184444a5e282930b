#pragma once

namespace panallama {

bool cpu_has_avx512_vnni();  // F, BW, DQ, VL, VBMI, GFNI, VNNI
bool cpu_has_avx_vnni();     // AVX-VNNI, AVX2, FMA, F16C
bool cpu_has_avx2();         // AVX2, FMA, F16C
bool cpu_has_i8mm();         // SMMLA and SDOT
bool cpu_has_dotprod();      // SDOT

}  // namespace panallama
