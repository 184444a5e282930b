#include "plain_step.h"

#include <cstring>

#include "../codebook.h"
#include "../half.h"

namespace panallama {

namespace {

uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

uint16_t load16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

bool odd_parity(uint32_t v) {
    v ^= v >> 4;
    v ^= v >> 2;
    return ((v ^ v >> 1) & 1) != 0;
}

// Grid formats store the signs of seven weights; the eighth makes the number of negative ones even.
uint32_t signs_of(uint32_t seven) { return seven | (odd_parity(seven) ? 0x80u : 0u); }

int signed_value(int magnitude, uint32_t signs, int i) { return (signs >> i & 1) != 0 ? -magnitude : magnitude; }

// Q8_0, Q4_0, Q5_0, IQ4_NL, MXFP4: a scale, then 32 codes; nibbles hold weight j low and weight j + 16 high.
void read_small_block(format f, const uint8_t *in, int16_t *q, float *scale) {
    if (f == format::mxfp4) {
        *scale = load_e8m0_half(in[0]);
    } else {
        *scale = load_half(in);
    }
    if (f == format::q8_0) {
        for (int i = 0; i < 32; i++) q[i] = static_cast<int8_t>(in[2 + i]);
        return;
    }
    const uint8_t *codes = in + (f == format::mxfp4 ? 1 : f == format::q5_0 ? 6 : 2);
    for (int i = 0; i < 32; i++) {
        const int code = i < 16 ? codes[i] & 15 : codes[i - 16] >> 4;
        switch (f) {
            case format::q4_0:
                q[i] = static_cast<int16_t>(code - 8);
                break;
            case format::q5_0:
                q[i] = static_cast<int16_t>((code | static_cast<int>((load32(in + 2) >> i & 1) << 4)) - 16);
                break;
            case format::iq4_nl:
                q[i] = books.iq4[code];
                break;
            default:
                q[i] = books.mxfp4[code];
                break;
        }
    }
}

// The 6-bit scale and minimum of group g of Q4_K and Q5_K.
void read_k4_scale(const uint8_t *s, int g, int *scale, int *min) {
    if (g < 4) {
        *scale = s[g] & 63;
        *min = s[g + 4] & 63;
    } else {
        *scale = (s[g + 4] & 15) | (s[g - 4] >> 6) << 4;
        *min = (s[g + 4] >> 4) | (s[g] >> 6) << 4;
    }
}

void read_q4_q5(format f, const uint8_t *in, plain_step *out) {
    const bool five = f == format::q5_k;
    const float d = load_half(in);
    const uint8_t *high = in + 16;
    const uint8_t *low = five ? in + 48 : in + 16;
    out->min_scale = load_half(in + 2);
    for (int g = 0; g < 8; g++) {
        int scale = 0;
        int min = 0;
        read_k4_scale(in + 4, g, &scale, &min);
        out->scale[g] = d * static_cast<float>(scale);
        out->mins[g] = static_cast<uint8_t>(min);
        for (int i = 0; i < 32; i++) {
            int code = low[32 * (g / 2) + i] >> 4 * (g % 2) & 15;
            if (five) code |= (high[i] >> g & 1) << 4;
            out->q[32 * g + i] = static_cast<int16_t>(code);
        }
    }
}

void read_q6(const uint8_t *in, plain_step *out) {
    const float d = load_half(in + 208);
    for (int g = 0; g < 16; g++) out->scale[g] = d * static_cast<float>(static_cast<int8_t>(in[192 + g]));
    for (int k = 0; k < step; k++) {
        const int half = k / 128;
        const int quarter = k % 128 / 32;
        const int i = k % 32;
        const int low = in[64 * half + 32 * (quarter % 2) + i] >> 4 * (quarter / 2) & 15;
        const int high = in[128 + 32 * half + i] >> 2 * quarter & 3;
        out->q[k] = static_cast<int16_t>((low | high << 4) - 32);
    }
}

// Code times group scale still fits a byte in Q2_K and Q3_K, so that one float scale per step remains.
void read_q2(const uint8_t *in, plain_step *out) {
    out->scale[0] = load_half(in + 80);
    out->min_scale = load_half(in + 82);
    for (int g = 0; g < 16; g++) out->mins[g] = in[g] >> 4;
    for (int k = 0; k < step; k++) {
        const int code = in[16 + 32 * (k / 128) + k % 32] >> 2 * (k % 128 / 32) & 3;
        out->q[k] = static_cast<int16_t>(code * (in[k / 16] & 15));
    }
}

void read_q3(const uint8_t *in, plain_step *out) {
    out->scale[0] = load_half(in + 108);
    const uint8_t *s = in + 96;
    for (int k = 0; k < step; k++) {
        const int g = k / 16;
        const int low = g < 8 ? s[g] & 15 : s[g - 8] >> 4;
        const int scale = (low | (s[8 + g % 4] >> 2 * (g / 4) & 3) << 4) - 32;
        int code = in[32 + 32 * (k / 128) + k % 32] >> 2 * (k % 128 / 32) & 3;
        if ((in[k % 32] >> k / 32 & 1) == 0) code -= 4;
        out->q[k] = static_cast<int16_t>(code * scale);
    }
}

void read_iq4_xs(const uint8_t *in, plain_step *out) {
    const float d = load_half(in);
    const int high = load16(in + 2);
    for (int g = 0; g < 8; g++) {
        const int scale = (in[4 + g / 2] >> 4 * (g % 2) & 15) | (high >> 2 * g & 3) << 4;
        out->scale[g] = d * static_cast<float>(scale - 32);
        for (int i = 0; i < 32; i++) {
            out->q[32 * g + i] = books.iq4[in[8 + 16 * g + i % 16] >> 4 * (i / 16) & 15];
        }
    }
}

void read_iq3_xxs(const uint8_t *in, plain_step *out) {
    const float d = load_half(in);
    for (int g = 0; g < 8; g++) {
        const uint32_t word = load32(in + 66 + 4 * g);
        out->scale[g] = d * 0.25f * static_cast<float>(2 * (word >> 28) + 1);
        for (int i = 0; i < 32; i++) {
            const uint32_t signs = signs_of(word >> 7 * (i / 8) & 127);
            const int v = books.iq3_xxs[in[2 + 8 * g + i / 4]][i % 4];
            out->q[32 * g + i] = static_cast<int16_t>(signed_value(v, signs, i % 8));
        }
    }
}

void read_iq2_xs(const uint8_t *in, plain_step *out) {
    const float d = load_half(in);
    for (int g = 0; g < 16; g++) {
        out->scale[g] = d * 0.125f * static_cast<float>(2 * (in[66 + g / 2] >> 4 * (g % 2) & 15) + 1);
    }
    for (int k = 0; k < step; k++) {
        const uint32_t word = load16(in + 2 + 2 * (k / 8));
        out->q[k] = static_cast<int16_t>(signed_value(books.iq2_xs[word & 511][k % 8], signs_of(word >> 9), k % 8));
    }
}

void read_iq2_xxs(const uint8_t *in, plain_step *out) {
    const float d = load_half(in);
    for (int g = 0; g < 8; g++) {
        const uint8_t *index = in + 2 + 8 * g;
        const uint32_t word = load32(index + 4);
        out->scale[g] = d * 0.125f * static_cast<float>(2 * (word >> 28) + 1);
        for (int i = 0; i < 32; i++) {
            const uint32_t signs = signs_of(word >> 7 * (i / 8) & 127);
            out->q[32 * g + i] = static_cast<int16_t>(signed_value(books.iq2_xxs[index[i / 8]][i % 8], signs, i % 8));
        }
    }
}

}  // namespace

void read_step(format f, const uint8_t *in, int blocks, plain_step *out) {
    const format_shape shape = shape_of(f);
    if (shape.block_weights == 32) {
        *out = {};
        for (int b = 0; b < blocks; b++)
            read_small_block(f, in + b * shape.block_bytes, out->q + 32 * b, out->scale + b);
        return;
    }
    switch (f) {
        case format::q2_k:
            read_q2(in, out);
            break;
        case format::q3_k:
            read_q3(in, out);
            break;
        case format::q4_k:
        case format::q5_k:
            read_q4_q5(f, in, out);
            break;
        case format::q6_k:
            read_q6(in, out);
            break;
        case format::iq4_xs:
            read_iq4_xs(in, out);
            break;
        case format::iq3_xxs:
            read_iq3_xxs(in, out);
            break;
        case format::iq2_xs:
            read_iq2_xs(in, out);
            break;
        default:
            read_iq2_xxs(in, out);
            break;
    }
}

}  // namespace panallama
