// One source, two sets of kernels: compiled with -mavxvnni they use its dot product, otherwise AVX2's multiplications.
// Each has its own namespace, so that the linker never takes a function of one for the other's.
#pragma once

#include "../format.h"

#ifdef __AVXVNNI__
#define PANALLAMA_FLAVOUR avxvnni
#else
#define PANALLAMA_FLAVOUR avx2
#endif

namespace panallama::PANALLAMA_FLAVOUR {

#ifdef __AVXVNNI__
constexpr bool has_vnni = true;
#else
constexpr bool has_vnni = false;
#endif

// The bytes of a tile. AVX2 multiplies unsigned by signed bytes and adds two products in 16 bits, saturating.
// DEFINITION  unsigned codes: code + offset in [0, 63], so that two products fit; their sums may wrap around 16 bits
//             where the bias is part of them, since the true sum over `chain` vectors fits
//             signed codes: |code| times the activation with the code's sign; `chain` such sums fit 16 bits
//             AVX-VNNI adds in 32 bits: every code becomes unsigned, whatever its size
struct code_shape {
    int group;       // weights that share a scale
    int offset;      // what makes a code unsigned
    bool is_signed;  // too large for AVX2 when made unsigned
    int chain;       // vectors whose products add up in 16 bits
};

constexpr code_shape codes_of(format f) {
    switch (f) {
        case format::q8_0:
        case format::iq4_nl:
        case format::iq4_xs:
            return {32, 128, true, 1};  // 2 * 128 * 127 = 32512
        case format::q4_0:
            return {32, 8, false, 8};  // 16 * 8 * 127 = 16256
        case format::q5_0:
            return {32, 16, false, 8};  // 16 * 16 * 127 = 32512
        case format::mxfp4:
            return {32, 12, false, 8};  // 16 * 12 * 127 = 24384
        case format::q2_k:
            return {16, 0, false, 4};  // 8 * 3 * 127 = 3048
        case format::q3_k:
            return {16, 4, false, 4};  // 8 * 4 * 127 = 4064
        case format::q4_k:
            return {32, 0, false, 8};  // 16 * 15 * 127 = 30480
        case format::q5_k:
            return {32, 0, false, 4};  // 8 * 31 * 127 = 31496
        case format::q6_k:
            return {16, 32, false, 4};  // 8 * 32 * 127 = 32512
        case format::iq3_xxs:
            return {32, 128, true, 2};  // 4 * 62 * 127 = 31496
        case format::iq2_xs:
            return {16, 128, true, 2};  // 4 * 43 * 127 = 21844
        case format::iq2_xxs:
            return {32, 128, true, 2};
        case format::f16:
        case format::bf16:
            break;
    }
    return {};
}

constexpr bool is_biased(format f) { return codes_of(f).offset != 0 && (has_vnni || !codes_of(f).is_signed); }

}  // namespace panallama::PANALLAMA_FLAVOUR
