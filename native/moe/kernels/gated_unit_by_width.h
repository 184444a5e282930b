// The gated unit of gated_unit.h in vectors of any width: each instruction set compiles it for its own.
//
// SHAPES      any number of values
// DEFINITION  gated_unit.h; the exponential is exact to about one unit in the last place of a float
// LAYOUT      the compiler's vectors. Everything here is local to its translation unit, so that the linker never takes
//             one instruction set's function for another's
#pragma once

#include <cstdint>
#include <cstring>

#include "gated_unit.h"

namespace panallama {

namespace {

template <int Lanes> struct vectors {
    typedef float floats __attribute__((vector_size(4 * Lanes), aligned(4)));
    typedef float whole __attribute__((vector_size(4 * Lanes)));
    typedef int32_t ints __attribute__((vector_size(4 * Lanes)));

    static whole load(const float *p) { return *reinterpret_cast<const floats *>(p); }
    static void store(float *p, whole v) { *reinterpret_cast<floats *>(p) = v; }

    // exp(x) = 2^n exp(r) with |r| <= ln 2 / 2. Infinite from 88.4 on, where n is 128, and never less than exp(-87);
    // NaN stays NaN.
    static whole exp(whole x) {
        x = x > 88.7f ? whole{} + 88.7f : x;
        x = x < -87.0f ? whole{} - 87.0f : x;
        constexpr float rounder = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to an integer
        constexpr int32_t rounder_bits = 0x4b400000;
        const whole shifted = x * 1.44269504f + rounder;
        const whole n = shifted - rounder;
        const whole r = x - n * 0.693359375f + n * 2.12194440e-4f;  // ln 2 in two parts
        whole sum = r * (1.0f / 7) + 1.0f;                          // Taylor's series
        sum = sum * r * (1.0f / 6) + 1.0f;
        sum = sum * r * (1.0f / 5) + 1.0f;
        sum = sum * r * (1.0f / 4) + 1.0f;
        sum = sum * r * (1.0f / 3) + 1.0f;
        sum = sum * r * 0.5f + 1.0f;
        sum = sum * r + 1.0f;
        const ints exponent = reinterpret_cast<ints>(shifted) - rounder_bits + 127;
        const ints power = exponent << 23;
        return sum * reinterpret_cast<whole>(power);
    }
};

template <int Lanes, gate_curve Curve, bool Biased>
void gate_vector(const gated_unit &unit, const gated_rows &rows, int at) {
    using v = vectors<Lanes>;
    using whole = typename v::whole;
    whole g = v::load(rows.gate + at);
    whole u = v::load(rows.up + at);
    if constexpr (Biased) {
        g += v::load(rows.gate_bias + at);
        u += v::load(rows.up_bias + at);
    }
    const whole limit = whole{} + unit.limit;
    g = g > limit ? limit : g;
    u = u > limit ? limit : u < -limit ? -limit : u;
    whole gated;
    if constexpr (Curve == gate_curve::relu) {
        gated = g < 0.0f ? whole{} : g;
    } else {
        // GELU's tanh is a sigmoid too: (1 + tanh(z)) / 2 = 1 / (1 + exp(-2 z)), z = sqrt(2 / pi) (g + 0.044715 g^3)
        const whole z = Curve == gate_curve::gelu ? g * 1.59576912f * (g * g * 0.044715f + 1.0f) : g * unit.alpha;
        gated = g / (v::exp(-z) + 1.0f);
    }
    v::store(rows.out + at, gated * (u + unit.up_offset));
}

template <int Lanes, gate_curve Curve, bool Biased> void gate_rows(const gated_unit &unit, const gated_rows &rows) {
    int at = 0;
    for (; at + Lanes <= rows.n; at += Lanes) gate_vector<Lanes, Curve, Biased>(unit, rows, at);
    if (at == rows.n) return;
    float rest[5][Lanes] = {};
    const size_t bytes = static_cast<size_t>(rows.n - at) * sizeof(float);
    memcpy(rest[0], rows.gate + at, bytes);
    memcpy(rest[1], rows.up + at, bytes);
    if (Biased) memcpy(rest[2], rows.gate_bias + at, bytes);
    if (Biased) memcpy(rest[3], rows.up_bias + at, bytes);
    gate_vector<Lanes, Curve, Biased>(unit, {rest[0], rest[1], rest[2], rest[3], rest[4], Lanes}, 0);
    memcpy(rows.out + at, rest[4], bytes);
}

template <int Lanes, gate_curve Curve> void gate_rows(const gated_unit &unit, const gated_rows &rows) {
    rows.gate_bias == nullptr ? gate_rows<Lanes, Curve, false>(unit, rows) : gate_rows<Lanes, Curve, true>(unit, rows);
}

template <int Lanes> void gate_rows(const gated_unit &unit, const gated_rows &rows) {
    switch (unit.curve) {
        case gate_curve::sigmoid:
            return gate_rows<Lanes, gate_curve::sigmoid>(unit, rows);
        case gate_curve::gelu:
            return gate_rows<Lanes, gate_curve::gelu>(unit, rows);
        case gate_curve::relu:
            return gate_rows<Lanes, gate_curve::relu>(unit, rows);
    }
}

}  // namespace

}  // namespace panallama
