// Multiplies 32 rows by many columns: unpacks one step of the rows into a panel, then uses it for every column.
//
// SHAPES      32 rows (two tiles), any number of columns, any number of steps
// DEFINITION  sums[column][row] += weights * activations of one step
// LAYOUT      panel: two tiles of 64 vectors as in tile.h; sums: [column][32] floats
#pragma once

#include "../kernel.h"
#include "read_ahead.h"
#include "tile.h"

namespace panallama::avx512 {

constexpr int panel_rows = 2 * tile_rows;

using panel_read_ahead = read_ahead<_MM_HINT_T1>;  // too much for the first-level cache

struct panel {
    __m512i weights[2][step / 4];
    tile_scales scales[2];
};

inline __m512i four_activations(const int8_t *q) {
    int32_t v;
    __builtin_memcpy(&v, q, 4);
    return _mm512_set1_epi32(v);
}

inline __m512i two_sums(const int16_t *s) {
    int32_t v;
    __builtin_memcpy(&v, s, 4);
    return _mm512_set1_epi32(v);
}

// 2 x Columns integer accumulators and as many float ones stay in registers: 24 of 32 for six columns.
constexpr int max_columns = 6;

template <format F, int Columns>
inline void multiply_step(const panel &p, const activation_step *const (&a)[max_columns],
                          const activation_step *const (&next)[max_columns], float *const (&sums)[max_columns],
                          panel_read_ahead ahead, int lines) {
    constexpr format_shape shape = shape_of(F);
    constexpr int groups = step / shape.group;
    constexpr int vectors = shape.group / 4;
    constexpr int unrolled = vectors < 8 ? vectors : 8;
    __m512 total[2][Columns];
    for (int c = 0; c < Columns; c++) {
        for (int t = 0; t < 2; t++) {
            total[t][c] = shape.scale_per_32 ? _mm512_load_ps(sums[c] + 16 * t) : _mm512_setzero_ps();
        }
    }
#pragma GCC unroll 1
    for (int g = 0; g < groups; g++) {
        __m512i sum[2][Columns];
        for (int c = 0; c < Columns; c++) {
            sum[0][c] = sum[1][c] = shape.offset != 0 ? _mm512_set1_epi32(a[c]->bias[g]) : _mm512_setzero_si512();
        }
        if (groups > 1 && g < 6) {
            for (int c = 0; c < Columns; c++)
                _mm_prefetch(reinterpret_cast<const char *>(next[c]) + 64 * g, _MM_HINT_T0);
        }
#pragma GCC unroll 1
        for (int first = g * vectors; first < (g + 1) * vectors; first += unrolled) {
            ahead.advance(lines);
#pragma GCC unroll 8
            for (int v = first; v < first + unrolled; v++) {
                const __m512i w0 = p.weights[0][v];
                const __m512i w1 = p.weights[1][v];
#pragma GCC unroll 6
                for (int c = 0; c < Columns; c++) {
                    const __m512i x = four_activations(a[c]->q + 4 * v);
                    add_dot(sum[0][c], w0, x);
                    add_dot(sum[1][c], w1, x);
                }
            }
        }
        for (int c = 0; c < Columns; c++) {
            for (int t = 0; t < 2; t++) {
                __m512 scale = p.scales[t].scale[g];
                if constexpr (shape.scale_per_32) scale = _mm512_mul_ps(scale, _mm512_set1_ps(a[c]->scale[g]));
                total[t][c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[t][c]), scale, total[t][c]);
            }
        }
    }
    if constexpr (shape.mins > 0) {
        for (int t = 0; t < 2; t++) {
            const tile_scales &scales = p.scales[t];
            for (int c = 0; c < Columns; c++) {
                __m512i below = _mm512_setzero_si512();
#pragma GCC unroll 8
                for (int m = 0; m < shape.mins / 2; m++)
                    add_dot_16(below, scales.mins[m], two_sums(a[c]->sums + 2 * m));
                total[t][c] = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(below), scales.min_scale, total[t][c]);
            }
        }
    }
    for (int c = 0; c < Columns; c++) {
        for (int t = 0; t < 2; t++) {
            float *s = sums[c] + 16 * t;
            if constexpr (shape.scale_per_32) {
                _mm512_store_ps(s, total[t][c]);
            } else {
                _mm512_store_ps(s, _mm512_fmadd_ps(total[t][c], _mm512_set1_ps(a[c]->scale[0]), _mm512_load_ps(s)));
            }
        }
    }
}

template <format F, int Columns> inline void multiply_columns(const panel &p, const activation_step *a,
                                                              const column *columns, int left, float *sums,
                                                              panel_read_ahead ahead, int lines) {
    const activation_step *in[max_columns];
    const activation_step *next[max_columns];
    float *out[max_columns];
    for (int c = 0; c < Columns; c++) {
        in[c] = a + columns[c].token;
        out[c] = sums + panel_rows * c;
        next[c] = Columns + c < left ? a + columns[Columns + c].token : in[c];
    }
    multiply_step<F, Columns>(p, in, next, out, ahead, lines);
}

// One step of a panel for n columns. Meanwhile the same step of the panel after it is fetched, from `ahead` on: while
// unpacking, which is short, memory could not serve it (Q8_0 with eight columns reads 28 % more a second, Q4_K 18 %;
// two threads of a Zen 5).
template <format F> void multiply_panel(const panel &p, const activation_step *a, const column *columns, int n,
                                        float *sums, panel_read_ahead ahead) {
    constexpr int lines = panel_rows * step_bytes(F) / 64;
    constexpr int parts = shape_of(F).group == 16 ? 16 : 8;  // of multiply_step
    const int calls = n <= max_columns ? 1 : 2;              // the first ones
    const int each = (lines + parts * calls - 1) / (parts * calls);
    int c = 0;
    int fetched = 0;
    const auto run = [&](auto count) {
        multiply_columns<F, count>(p, a, columns + c, n - c, sums + panel_rows * c, ahead, fetched < lines ? each : 0);
        ahead.at += 64 * parts * each;
        fetched += parts * each;
        c += count;
    };
    // Two groups of four keep more sums in flight than one of six and one of two.
    while (n - c > 8 || n - c == 6) run(index<6>{});
    if (n - c > 6) run(index<4>{});
    switch (n - c) {
        case 5:
            run(index<5>{});
            break;
        case 4:
            run(index<4>{});
            break;
        case 3:
            run(index<3>{});
            break;
        case 2:
            run(index<2>{});
            break;
        case 1:
            run(index<1>{});
            break;
        default:
            break;
    }
}

}  // namespace panallama::avx512
