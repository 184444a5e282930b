// One product of kernel.h: picks streaming or panels by the number of columns, and deals with what is not whole.
#pragma once

#include <algorithm>
#include <cstring>

#include "panel.h"
#include "quantize.h"
#include "stream.h"

namespace panallama::neon::PANALLAMA_NEON_FLAVOUR {

// Columns that share one unpacked panel: their sums (16 KB) stay in the first-level cache beside the panel (6 KB).
constexpr int columns_per_pass = 256;

constexpr int largest_step_bytes = step_bytes(format::q8_0);

struct alignas(64) scratch {
    tile panel[panel_tiles];
    float sums[columns_per_pass * panel_rows];
    uint8_t staged[tile_rows][largest_step_bytes];
};

// Where step s of the rows r .. r + 3 lies: missing rows are the last one again, and a last step with fewer than eight
// small blocks is copied, with zeros for the others.
template <format F>
inline void find_rows(const product &p, int r, int s, scratch *own, const uint8_t *(&row)[tile_rows]) {
    const bool short_step = p.tail_blocks > 0 && s == p.steps - 1;
    for (int i = 0; i < tile_rows; i++) {
        const auto at = static_cast<size_t>(std::min(r + i, p.rows - 1));
        row[i] = p.weights + at * p.row_bytes + static_cast<size_t>(s) * step_bytes(F);
        if (short_step) {
            const auto bytes = static_cast<size_t>(p.tail_blocks * shape_of(F).block_bytes);
            memcpy(own->staged[i], row[i], bytes);
            memset(own->staged[i] + bytes, 0, largest_step_bytes - bytes);
            row[i] = own->staged[i];
        }
    }
}

inline void store_rows(float *to, float32x4_t v, int rows) {
    if (rows >= tile_rows) {
        vst1q_f32(to, v);
        return;
    }
    float all[tile_rows];
    vst1q_f32(all, v);
    for (int i = 0; i < rows; i++) to[i] = all[i];
}

template <format F> __attribute__((flatten)) void stream(const product &p, const column &c) {
    const unpacker<F> unpack;
    for (int r = 0; r < p.rows; r += tile_rows) {
        float32x4_t total[tile_rows];
        for (float32x4_t &t : total) t = vdupq_n_f32(0);
        for (int s = 0; s < p.steps; s++) {
            const activation_step &a = p.activations[s * p.tokens + c.token];
            const uint8_t *row[tile_rows];
            find_rows<F>(p, r, s, static_cast<scratch *>(p.scratch), row);
            for (int i = 0; i < tile_rows; i++) stream_step<F>(unpack, row[i], a, &total[i]);
        }
        const float32x4_t added = vpaddq_f32(vpaddq_f32(total[0], total[1]), vpaddq_f32(total[2], total[3]));
        store_rows(c.out + p.out_row + r, added, p.rows - r);
    }
}

template <format F> void multiply_panels(const product &p, const column *columns, int n) {
    const unpacker<F> unpack;
    auto *own = static_cast<scratch *>(p.scratch);
    for (int r = 0; r < p.rows; r += panel_rows) {
        memset(own->sums, 0, static_cast<size_t>(n) * panel_rows * sizeof(float));
        for (int s = 0; s < p.steps; s++) {
            for (int t = 0; t < panel_tiles; t++) {
                const uint8_t *row[tile_rows];
                find_rows<F>(p, r + t * tile_rows, s, own, row);
                unpack_tile<F>(unpack, row, &own->panel[t]);
            }
            multiply_panel<F>(own->panel, p.activations + s * p.tokens, columns, n, own->sums);
        }
        for (int c = 0; c < n; c++) {
            for (int t = 0; t < panel_rows; t += tile_rows) {
                store_rows(columns[c].out + p.out_row + r + t, vld1q_f32(own->sums + c * panel_rows + t),
                           p.rows - r - t);
            }
        }
    }
}

template <format F> void multiply(const product &p) {
    if (p.n_columns == 1) return stream<F>(p, p.columns[0]);
    for (int c = 0; c < p.n_columns; c += columns_per_pass) {
        multiply_panels<F>(p, p.columns + c, std::min(columns_per_pass, p.n_columns - c));
    }
}

template <format F> struct kernel_of {
    static constexpr kernel value = {panel_rows, sizeof(scratch), quantize<F>, multiply<F>};
};

}  // namespace panallama::neon::PANALLAMA_NEON_FLAVOUR
