#pragma once

#include <cstdint>
#include <cstring>

namespace panallama {

// IEEE 754 binary16 at p, exactly.
inline float load_half(const uint8_t *p) {
    uint16_t h;
    memcpy(&h, p, 2);
    const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
    const uint32_t magnitude = h & 0x7fff;
    uint32_t bits;
    if (magnitude >= 0x7c00) {
        bits = sign | 0x7f800000 | (magnitude & 0x3ff) << 13;
    } else if (magnitude >= 0x400) {
        bits = sign | ((magnitude << 13) + (112u << 23));
    } else {
        const float subnormal = static_cast<float>(magnitude) * 0x1p-24f;
        memcpy(&bits, &subnormal, 4);
        bits |= sign;
    }
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

// MXFP4's shared exponent: half of 2^(e-127), since its codebook holds doubled values.
inline float load_e8m0_half(uint8_t e) {
    const uint32_t bits = e < 2 ? 0x00200000u << e : (e - 1u) << 23;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

}  // namespace panallama
