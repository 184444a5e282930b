// Multiplies 16 rows by many columns: unpacks one step of the rows into a panel, then uses it for every column.
//
// SHAPES      16 rows (two tiles), any number of columns, any number of steps
// DEFINITION  sums[column][row] += weights * activations of one step
// LAYOUT      panel: two tiles of 64 vectors as in tile.h; sums: [column][16] floats
#pragma once

#include "dot.h"

namespace panallama::PANALLAMA_FLAVOUR {

constexpr int panel_rows = 2 * tile_rows;

struct panel {
    __m256i weights[2][step / 4];
    tile_scales scales[2];
};

// 2 x Columns sums stay in registers, of which there are 16.
constexpr int max_columns = 4;

template <format F, int Columns>
inline __attribute__((always_inline)) void multiply_step(const panel &p, const activation_step *const (&a)[max_columns],
                                                         const activation_step *const (&next)[max_columns],
                                                         float *const (&sums)[max_columns]) {
    using sum = dot_sum<F>;
    constexpr code_shape codes = codes_of(F);
    constexpr int groups = step / codes.group;
    constexpr int group_quads = codes.group / 16;
    sum s[2][Columns];
    for (int c = 0; c < Columns; c++) {
        for (int t = 0; t < 2; t++) s[t][c].begin_step(_mm256_load_ps(sums[c] + tile_rows * t));
    }
#pragma GCC unroll 1
    for (int g = 0; g < groups; g++) {
        if (g < 6) {
            for (int c = 0; c < Columns; c++) _mm_prefetch(reinterpret_cast<const char *>(next[c]) + 64 * g, _MM_HINT_T0);
        }
        for (int c = 0; c < Columns; c++) {
            for (int t = 0; t < 2; t++) s[t][c].begin_group(*a[c], g);
        }
        const __m256i scale[2] = {scale_16<F>(p.scales[0], g), scale_16<F>(p.scales[1], g)};
        repeat<group_quads>([&](auto i) {
            const int first = 4 * (g * group_quads + i);
            if constexpr (!has_vnni && codes.is_signed) {
                repeat<2>([&](auto pair) {
                    const int v = first + 2 * pair;
                    for (int c = 0; c < Columns; c++) {
                        const __m256i x0 = four_activations(a[c]->q + 4 * v);
                        const __m256i x1 = four_activations(a[c]->q + 4 * v + 4);
                        for (int t = 0; t < 2; t++) {
                            s[t][c].add_signed(p.weights[t][v], p.weights[t][v + 1], x0, x1, scale[t]);
                        }
                    }
                });
            } else {
                repeat<4>([&](auto j) {
                    const int v = first + j;
                    const __m256i w0 = p.weights[0][v];
                    const __m256i w1 = p.weights[1][v];
                    for (int c = 0; c < Columns; c++) {
                        const __m256i x = four_activations(a[c]->q + 4 * v);
                        s[0][c].add(w0, x);
                        s[1][c].add(w1, x);
                    }
                });
                constexpr bool last = i == group_quads - 1;
                if constexpr (last || codes.chain == 4) {
                    for (int c = 0; c < Columns; c++) {
                        for (int t = 0; t < 2; t++) s[t][c].end_chain(scale[t], !last);
                    }
                }
            }
        });
        for (int c = 0; c < Columns; c++) {
            for (int t = 0; t < 2; t++) s[t][c].end_group(p.scales[t], *a[c], g);
        }
    }
    for (int c = 0; c < Columns; c++) {
        for (int t = 0; t < 2; t++) {
            float *out = sums[c] + tile_rows * t;
            _mm256_store_ps(out, s[t][c].end_step(p.scales[t], *a[c], _mm256_load_ps(out)));
        }
    }
}

template <format F, int Columns>
__attribute__((flatten)) void multiply_columns(const panel &p, const activation_step *a, const column *columns, int left,
                                               float *sums) {
    const activation_step *in[max_columns];
    const activation_step *next[max_columns];
    float *out[max_columns];
    for (int c = 0; c < Columns; c++) {
        in[c] = a + columns[c].token;
        out[c] = sums + panel_rows * c;
        next[c] = Columns + c < left ? a + columns[Columns + c].token : in[c];
    }
    multiply_step<F, Columns>(p, in, next, out);
}

// One step of a panel for n columns.
template <format F>
void multiply_panel(const panel &p, const activation_step *a, const column *columns, int n, float *sums) {
    int c = 0;
    for (; n - c >= max_columns; c += max_columns) {
        multiply_columns<F, max_columns>(p, a, columns + c, n - c, sums + panel_rows * c);
    }
    switch (n - c) {
    case 3: multiply_columns<F, 3>(p, a, columns + c, 3, sums + panel_rows * c); break;
    case 2: multiply_columns<F, 2>(p, a, columns + c, 2, sums + panel_rows * c); break;
    case 1: multiply_columns<F, 1>(p, a, columns + c, 1, sums + panel_rows * c); break;
    default: break;
    }
}

}  // namespace panallama::PANALLAMA_FLAVOUR
