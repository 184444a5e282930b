// One product of kernel.h: picks rows, streaming or panels by the number of columns, and deals with what is not whole.
#pragma once

#include <algorithm>
#include <cstring>

#include "panel.h"
#include "quantize.h"
#include "rows.h"
#include "stream.h"

namespace panallama::PANALLAMA_FLAVOUR {

// Columns that share one unpacked panel: their sums (16 KB) and the panel (6 KB) fit the second-level cache beside the
// activations of a step.
constexpr int columns_per_pass = 256;

// Tiles that are not whole (fewer than 8 rows, or a last step with fewer than eight small blocks) are read from here.
// 16 bytes may be read past a block's start.
constexpr int staged_row_bytes = 8 * 34 + 16;

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

// Stores the lanes below `rows`.
inline void store_rows(float *out, int rows, __m256 v) {
    if (rows >= tile_rows) return _mm256_storeu_ps(out, v);
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(out, _mm256_cmpgt_epi32(_mm256_set1_epi32(rows), lane), v);
}

template <format F, int Columns> __attribute__((flatten)) void stream(const product &p) {
    const unpacker<F> unpack;
    uint8_t *staged = static_cast<scratch *>(p.scratch)->staged;
    for (int r = 0; r < p.rows; r += tile_rows) {
        const uint8_t *here = p.weights + static_cast<size_t>(r) * p.row_bytes;
        const bool last = r + tile_rows >= p.rows;
        read_ahead ahead{last && p.next != nullptr ? p.next : here + tile_rows * p.row_bytes};
        __m256 total[Columns];
        for (__m256 &t : total) t = _mm256_setzero_ps();
        for (int s = 0; s < p.steps; s++) {
            const activation_step *a[Columns];
            for (int c = 0; c < Columns; c++) a[c] = p.activations + s * p.tokens + p.columns[c].token;
            stream_step<F, Columns>(unpack, tile_at<F>(p, r, s, staged), a, &ahead, total);
        }
        for (int c = 0; c < Columns; c++) store_rows(p.columns[c].out + p.out_row + r, p.rows - r, total[c]);
    }
}

template <format F> __attribute__((noinline, flatten)) void unpack_tile(const unpacker<F> &unpack,
                                                                        const tile_source &in, read_ahead ahead,
                                                                        __m256i *weights, tile_scales *scales) {
    unpacker<F>::scales(in, scales);
    unpack.weights(in, [&](auto i, const quad &raw) {
        constexpr int at = i;
        // Eight times in a step, as a tile has eight rows.
        if constexpr (at % 2 == 0) ahead.advance<step_bytes(F)>();
        const quad q = as_codes<F>(raw);
        for (int j = 0; j < 4; j++) {
            const int v = 4 * at + j;
            if constexpr (has_wide_panel(F)) {
                weights[2 * v] = even_bytes(q.v[j]);
                weights[2 * v + 1] = odd_bytes(q.v[j]);
                if constexpr (!shape_of(F).scale_per_32) {
                    const __m256i scale = scales->group[at / 2];
                    weights[2 * v] = _mm256_mullo_epi16(weights[2 * v], scale);
                    weights[2 * v + 1] = _mm256_mullo_epi16(weights[2 * v + 1], scale);
                }
            } else {
                weights[v] = q.v[j];
            }
        }
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
                const read_ahead ahead{after + (2 * s + t) * tile_rows * step_bytes(F)};
                unpack_tile<F>(unpack, tile_at<F>(p, row, s, own->staged), ahead, own->unpacked.weights[t],
                               &own->unpacked.scales[t]);
            }
            multiply_panel<F>(own->unpacked, p.activations + s * p.tokens, columns, n, own->sums);
        }
        for (int c = 0; c < n; c++) {
            for (int t = 0; t < 2; t++) {
                const int row = r + t * tile_rows;
                if (row >= p.rows) continue;
                store_rows(columns[c].out + p.out_row + row, p.rows - row,
                           _mm256_load_ps(own->sums + c * panel_rows + t * tile_rows));
            }
        }
    }
}

template <format F> void multiply(const product &p) {
    const auto one_of = [&](auto columns) {
        constexpr int n = columns;
        if constexpr (n <= max_row_columns(F)) {
            multiply_rows<F, n>(p);
        } else {
            stream<F, n>(p);
        }
    };
    switch (p.n_columns) {
        case 1:
            return one_of(index<1>{});
        case 2:
            return one_of(index<2>{});
        case 3:
            return one_of(index<3>{});
        case max_stream_columns:
            return one_of(index<max_stream_columns>{});
        default:
            break;
    }
    for (int c = 0; c < p.n_columns; c += columns_per_pass) {
        multiply_panels<F>(p, p.columns + c, std::min(columns_per_pass, p.n_columns - c));
    }
}

template <format F> struct kernel_of {
    static constexpr kernel value = {panel_rows, sizeof(scratch), quantize<F>, multiply<F>};
};

}  // namespace panallama::PANALLAMA_FLAVOUR
