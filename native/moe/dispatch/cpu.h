#pragma once

namespace panallama {

bool cpu_has_avx512_vnni();  // F, BW, DQ, VL, VBMI, GFNI, VNNI
bool cpu_has_avx2();         // AVX2, FMA, F16C

}  // namespace panallama
