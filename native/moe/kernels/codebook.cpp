#include "codebook.h"

#include <cmath>
#include <cstring>

namespace panallama {

codebooks books;

namespace {

constexpr uint16_t half_one = 0x3c00;

void put16(uint8_t *at, uint16_t v) { memcpy(at, &v, 2); }

bool as_integer(float x, int low, int high, int *out) {
    const float r = std::nearbyint(x);
    if (!(std::fabs(x - r) < 1e-4f) || r < static_cast<float>(low) || r > static_cast<float>(high)) return false;
    *out = static_cast<int>(r);
    return true;
}

template <size_t N> bool is_level(int v, const uint8_t (&levels)[N]) {
    for (const uint8_t level : levels) {
        if (level == v) return true;
    }
    return false;
}

// A 32-weight block with a half (or E8M0) scale of one, whose codes run through 0..15 in the low nibbles.
bool read_nibble_codes(dequantizer f, bool e8m0, int8_t (&out)[16]) {
    uint8_t block[18] = {};
    float y[32];
    uint8_t *codes = block + 2;
    if (e8m0) {
        block[0] = 128;  // 2^(128-128): MXFP4 stores half of its scale
        codes = block + 1;
    } else {
        put16(block, half_one);
    }
    for (int i = 0; i < 16; i++) codes[i] = static_cast<uint8_t>(i);
    f(block, y, 32);
    for (int i = 0; i < 16; i++) {
        int v = 0;
        if (!as_integer(y[i], -127, 127, &v)) return false;
        out[i] = static_cast<int8_t>(v);
    }
    return true;
}

bool read_iq2_xxs(dequantizer f) {
    uint8_t block[66];
    float y[256];
    for (int first = 0; first < 256; first += 32) {
        memset(block, 0, sizeof block);
        put16(block, half_one);
        for (int s = 0; s < 8; s++) {
            for (int j = 0; j < 4; j++) block[2 + 8 * s + j] = static_cast<uint8_t>(first + 4 * s + j);
        }
        f(block, y, 256);
        for (int i = 0; i < 256; i++) {
            int v = 0;
            if (!as_integer(y[i] * 8.0f, 1, 127, &v) || !is_level(v, iq2_levels)) return false;
            books.iq2_xxs[first + i / 8][i % 8] = static_cast<uint8_t>(v);
        }
    }
    return true;
}

bool read_iq2_xs(dequantizer f) {
    uint8_t block[74];
    float y[256];
    for (int first = 0; first < 512; first += 32) {
        memset(block, 0, sizeof block);
        put16(block, half_one);
        for (int j = 0; j < 32; j++) put16(block + 2 + 2 * j, static_cast<uint16_t>(first + j));
        f(block, y, 256);
        for (int i = 0; i < 256; i++) {
            int v = 0;
            if (!as_integer(y[i] * 8.0f, 1, 127, &v) || !is_level(v, iq2_levels)) return false;
            books.iq2_xs[first + i / 8][i % 8] = static_cast<uint8_t>(v);
        }
    }
    return true;
}

bool read_iq3_xxs(dequantizer f) {
    uint8_t block[98];
    float y[256];
    for (int first = 0; first < 256; first += 64) {
        memset(block, 0, sizeof block);
        put16(block, half_one);
        for (int j = 0; j < 64; j++) block[2 + j] = static_cast<uint8_t>(first + j);
        f(block, y, 256);
        for (int i = 0; i < 256; i++) {
            int v = 0;
            if (!as_integer(y[i] * 4.0f, 1, 127, &v) || !is_level(v, iq3_levels)) return false;
            books.iq3_xxs[first + i / 4][i % 4] = static_cast<uint8_t>(v);
        }
    }
    return true;
}

}  // namespace

bool load_codebooks(const dequantizers &from) {
    return from.iq4_nl && from.mxfp4 && from.iq2_xxs && from.iq2_xs && from.iq3_xxs &&
           read_nibble_codes(from.iq4_nl, false, books.iq4) && read_nibble_codes(from.mxfp4, true, books.mxfp4) &&
           read_iq2_xxs(from.iq2_xxs) && read_iq2_xs(from.iq2_xs) && read_iq3_xxs(from.iq3_xxs);
}

}  // namespace panallama
