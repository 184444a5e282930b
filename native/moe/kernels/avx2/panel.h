// Multiplies 16 rows by many columns: unpacks one step of the rows into a panel, then uses it for every column.
//
// SHAPES      16 rows (two tiles), any number of columns, any number of steps
// DEFINITION  sums[column][row] += weights * activations of one step
// LAYOUT      panel: two tiles of 64 vectors as in tile.h, or 128 as in wide_panel.h; sums: [column][16] floats
#pragma once

#include "wide_panel.h"

namespace panallama::PANALLAMA_FLAVOUR {

constexpr int panel_rows = 2 * tile_rows;

struct panel {
    __m256i weights[2][step / 2];
    tile_scales scales[2];
};

// 2 x Columns sums stay in registers, of which there are 16.
constexpr int max_columns = 6;

template <format F, int Columns>
inline PANALLAMA_INLINE void multiply_step(const panel &p, const activation_step *const (&a)[max_columns],
                                           const activation_step *const (&next)[max_columns],
                                           float *const (&sums)[max_columns]) {
    constexpr code_shape codes = codes_of(F);
    constexpr int group = codes.group;
    constexpr int groups = step / group;
    constexpr int group_quads = group / 16;
    dot_sum<F> s[2][Columns];
    // Each sum's index must be a constant for GCC to keep it in a register.
    const auto each_sum = [](auto &&f) PANALLAMA_INLINE {
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            f(index<0>{}, c);
            f(index<1>{}, c);
        });
    };
    each_sum([&](auto t, auto c) PANALLAMA_INLINE { s[t][c].begin_step(_mm256_load_ps(sums[c] + tile_rows * t)); });
#pragma GCC unroll 1
    for (int g = 0; g < groups; g++) {
        if (g < 6)
            repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                _mm_prefetch(reinterpret_cast<const char *>(next[c]) + 64 * g, _MM_HINT_T0);
            });
        each_sum([&](auto t, auto c) PANALLAMA_INLINE { s[t][c].begin_group(*a[c], g); });
        const __m256i *w[2] = {p.weights[0] + g * group_quads * 4, p.weights[1] + g * group_quads * 4};
        const auto x = [&](auto c, int v) PANALLAMA_INLINE { return four_activations(a[c]->q + g * group + 4 * v); };
        repeat<group_quads>([&](auto i) PANALLAMA_INLINE {
            if constexpr (!has_vnni && codes.is_signed) {
                constexpr int pair = codes.chain >= 2 ? 2 : 1;
                repeat<4 / pair>([&](auto j) PANALLAMA_INLINE {
                    constexpr int v = 4 * i + pair * j;
                    each_sum([&](auto t, auto c) PANALLAMA_INLINE {
                        s[t][c].template add_signed<pair>(
                            w[t] + v, [&](int k) PANALLAMA_INLINE { return x(c, v + k); }, scale_16<F>(p.scales[t], g));
                    });
                });
            } else {
                repeat<4>([&](auto j) PANALLAMA_INLINE {
                    constexpr int v = 4 * i + j;
                    const __m256i w0 = w[0][v];
                    const __m256i w1 = w[1][v];
                    repeat<Columns>([&](auto c) PANALLAMA_INLINE {
                        const __m256i both = x(c, v);
                        s[0][c].add(w0, both);
                        s[1][c].add(w1, both);
                    });
                });
                constexpr bool last = i == group_quads - 1;
                if constexpr (last || codes.chain == 4) {
                    each_sum([&](auto t, auto c)
                                 PANALLAMA_INLINE { s[t][c].end_chain(scale_16<F>(p.scales[t], g), !last); });
                }
            }
        });
        each_sum([&](auto t, auto c) PANALLAMA_INLINE { s[t][c].end_group(p.scales[t], *a[c], g); });
    }
    each_sum([&](auto t, auto c) PANALLAMA_INLINE {
        float *out = sums[c] + tile_rows * t;
        _mm256_store_ps(out, s[t][c].end_step(p.scales[t], *a[c], _mm256_load_ps(out)));
    });
}

template <format F, int Columns>
__attribute__((flatten)) void multiply_columns(const panel &p, const activation_step *a, const column *columns,
                                               int left, float *sums) {
    const activation_step *in[max_columns];
    const activation_step *next[max_columns];
    float *out[max_columns];
    for (int c = 0; c < Columns; c++) {
        in[c] = a + columns[c].token;
        out[c] = sums + panel_rows * c;
        next[c] = Columns + c < left ? a + columns[Columns + c].token : in[c];
    }
    if constexpr (has_wide_panel(F)) {
        wide_activations x[Columns];
        for (int c = 0; c < Columns; c++) x[c].widen(*in[c]);
        for (int c = 0; c < Columns; c++) {
            for (int i = 0; i < 6; i++) _mm_prefetch(reinterpret_cast<const char *>(next[c]) + 64 * i, _MM_HINT_T0);
        }
        multiply_wide_step<F, Columns>({p.weights[0], p.weights[1]}, p.scales, in, x, out);
    } else {
        multiply_step<F, Columns>(p, in, next, out);
    }
}

// One step of a panel for n columns.
template <format F>
void multiply_panel(const panel &p, const activation_step *a, const column *columns, int n, float *sums) {
    int c = 0;
    // Two groups of four keep more sums in flight than one of six and one of two.
    while (n - c > 8 || n - c == 6) {
        multiply_columns<F, 6>(p, a, columns + c, n - c, sums + panel_rows * c);
        c += 6;
    }
    if (n - c > 6) {
        multiply_columns<F, 4>(p, a, columns + c, n - c, sums + panel_rows * c);
        c += 4;
    }
    switch (n - c) {
        case 5:
            multiply_columns<F, 5>(p, a, columns + c, 5, sums + panel_rows * c);
            break;
        case 4:
            multiply_columns<F, 4>(p, a, columns + c, 4, sums + panel_rows * c);
            break;
        case 3:
            multiply_columns<F, 3>(p, a, columns + c, 3, sums + panel_rows * c);
            break;
        case 2:
            multiply_columns<F, 2>(p, a, columns + c, 2, sums + panel_rows * c);
            break;
        case 1:
            multiply_columns<F, 1>(p, a, columns + c, 1, sums + panel_rows * c);
            break;
        default:
            break;
    }
}

}  // namespace panallama::PANALLAMA_FLAVOUR
