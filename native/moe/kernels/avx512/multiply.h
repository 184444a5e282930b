// One product of kernel.h: picks rows or panels by the number of columns, and deals with what is not whole.
#pragma once

#include <algorithm>
#include <cstring>

#include "panel.h"
#include "quantize.h"
#include "rows.h"

namespace panallama::avx512 {

// Columns that share one unpacked panel: their sums (32 KB) and the panel (10 KB) fit the second-level cache beside the
// activations of a step.
constexpr int columns_per_pass = 256;

// Tiles that are not whole (fewer than 16 rows, or a last step with fewer than eight small blocks) are read from here.
// 16 bytes may be read past a block's start.
constexpr int staged_row_bytes = 8 * 34 + 48;

struct scratch {
    panel unpacked;
    alignas(64) float sums[columns_per_pass * panel_rows];
    alignas(64) uint8_t staged[tile_rows * staged_row_bytes];
};

// The tile of `rows` rows at row r, step s; copied, with zeros for what is missing, unless whole.
template <format F> inline tile_source tile_at(const product &p, int r, int s, uint8_t *staged) {
    const uint8_t *at = p.weights + static_cast<size_t>(r) * p.row_bytes + static_cast<size_t>(s) * step_bytes(F);
    const bool short_step = p.tail_blocks > 0 && s == p.steps - 1;
    if (p.rows - r >= tile_rows && !short_step) return {at, p.row_bytes};
    const int rows = std::min(p.rows - r, tile_rows);
    const int bytes = short_step ? p.tail_blocks * shape_of(F).block_bytes : step_bytes(F);
    memset(staged, 0, static_cast<size_t>(tile_rows) * staged_row_bytes);
    for (int i = 0; i < rows; i++) {
        memcpy(staged + i * staged_row_bytes, at + static_cast<size_t>(i) * p.row_bytes, static_cast<size_t>(bytes));
    }
    return {staged, staged_row_bytes};
}

inline __mmask16 row_mask(int rows) {
    return static_cast<__mmask16>(rows >= tile_rows ? 0xffffu : (1u << std::max(rows, 0)) - 1);
}

// The panel's next step, from the second-level cache, where it was fetched ahead, into the first, while the present one
// is multiplied: with eight columns Q4_K and Q8_0 read 18 % more of the memory a second (two threads of a Zen 5).
template <format F> inline void fetch_step(const uint8_t *at, size_t row_bytes) {
    at += 64;  // what precedes came with the step before
    for (int r = 0; r < panel_rows; r++, at += row_bytes) {
        for (int i = 0; i < step_bytes(F); i += 64) _mm_prefetch(reinterpret_cast<const char *>(at + i), _MM_HINT_T0);
    }
}

template <format F> __attribute__((noinline, flatten)) void unpack_tile(const unpacker<F> &unpack,
                                                                        const tile_source &in, __m512i *weights,
                                                                        tile_scales *scales) {
    unpacker<F>::scales(in, scales);
    unpack.weights(in, [&](auto i, const quad &q) {
        constexpr int at = i;
        for (int j = 0; j < 4; j++) weights[4 * at + j] = q.v[j];
    });
}

template <format F> void multiply_panels(const product &p, const column *columns, int n) {
    const unpacker<F> unpack;
    auto *own = static_cast<scratch *>(p.scratch);
    for (int r = 0; r < p.rows; r += panel_rows) {
        const bool last = r + panel_rows >= p.rows;
        const uint8_t *after =
            last && p.next != nullptr ? p.next : p.weights + static_cast<size_t>(r + panel_rows) * p.row_bytes;
        memset(own->sums, 0, static_cast<size_t>(n) * panel_rows * sizeof(float));
        for (int s = 0; s < p.steps; s++) {
            for (int t = 0; t < 2; t++) {
                const int row = r + t * tile_rows;
                if (row >= p.rows) continue;  // the second tile keeps older values, which nobody reads
                unpack_tile<F>(unpack, tile_at<F>(p, row, s, own->staged), own->unpacked.weights[t],
                               &own->unpacked.scales[t]);
            }
            if (s + 1 < p.steps) {
                fetch_step<F>(
                    p.weights + static_cast<size_t>(r) * p.row_bytes + static_cast<size_t>(s + 1) * step_bytes(F),
                    p.row_bytes);
            }
            multiply_panel<F>(own->unpacked, p.activations + s * p.tokens, columns, n, own->sums,
                              panel_read_ahead{after + s * panel_rows * step_bytes(F)});
        }
        for (int c = 0; c < n; c++) {
            for (int t = 0; t < 2; t++) {
                _mm512_mask_storeu_ps(columns[c].out + p.out_row + r + t * tile_rows,
                                      row_mask(p.rows - r - t * tile_rows),
                                      _mm512_load_ps(own->sums + c * panel_rows + t * tile_rows));
            }
        }
    }
}

template <format F> void multiply(const product &p) {
    if (p.n_columns <= max_row_columns) return multiply_rows<F>(p);
    for (int c = 0; c < p.n_columns; c += columns_per_pass) {
        multiply_panels<F>(p, p.columns + c, std::min(columns_per_pass, p.n_columns - c));
    }
}

template <format F> struct kernel_of {
    static constexpr kernel value = {panel_rows, std::max(sizeof(scratch), sizeof(row_scratch<F>)), quantize<F>,
                                     multiply<F>};
};

}  // namespace panallama::avx512
