// Products of float weights (F16, BF16) with float activations, in vectors of any width.
//
// SHAPES      any number of rows and columns; k a multiple of 32
// DEFINITION  product of kernel.h; weights become floats exactly, activations are read as they are, sums are floats
// LAYOUT      rows as they lie in the file. Lane i of a sum holds every Lanes-th product of one row and one column, and
//             lanes are added up at the end: nothing is transposed, since Rows x Columns sums use each vector of
//             weights Columns times and each of activations Rows times
//
// V describes an instruction set's vectors. It lies in that set's namespace, and so do these templates' instances.
#pragma once

#include "kernel.h"
#include "repeat.h"

namespace panallama {

// Values multiplied before a block of rows gives way to the next one: six columns of them (24 KB) and four rows (8 KB)
// stay in the first-level cache, and adding up the lanes costs a tenth of the multiplications (Zen 5).
constexpr int float_chunk = 1024;

// One column is as fast as memory serves its weights: they are fetched ahead, past the caches that they will not be
// found in again. Far enough for the latency of memory, and within the pages that the row's own reading opens.
constexpr size_t float_read_ahead = 2048;  // bytes

template <class V, format F, int Rows, int Columns>
inline PANALLAMA_INLINE void multiply_float_block(const uint8_t *weights, size_t row_bytes, int n,
                                                  const float *const *x, float *const *out, int row, bool first) {
    typename V::type sum[Rows][Columns];
    repeat<Rows>([&](auto r)
                     PANALLAMA_INLINE { repeat<Columns>([&](auto c) PANALLAMA_INLINE { sum[r][c] = V::zero(); }); });
    for (int i = 0; i < n; i += V::lanes) {
        if (Columns == 1 && i % 32 == 0) {
            for (int r = 0; r < Rows; r++) {
                __builtin_prefetch(
                    weights + static_cast<size_t>(r) * row_bytes + 2 * static_cast<size_t>(i) + float_read_ahead, 0, 0);
            }
        }
        typename V::type w[Rows];
        repeat<Rows>([&](auto r) PANALLAMA_INLINE {
            w[r] = V::template weights<F>(weights + static_cast<size_t>(r) * row_bytes + 2 * static_cast<size_t>(i));
        });
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            const typename V::type a = V::load(x[c] + i);
            repeat<Rows>([&](auto r) PANALLAMA_INLINE { sum[r][c] = V::multiply_add(w[r], a, sum[r][c]); });
        });
    }
    repeat<Columns>([&](auto c) PANALLAMA_INLINE {
        repeat<Rows>([&](auto r) PANALLAMA_INLINE {
            float &to = out[c][row + r];
            to = (first ? 0.0f : to) + V::add_lanes(sum[r][c]);
        });
    });
}

// The rows of one chunk by some columns.
template <class V, format F, int Columns>
void multiply_float_rows(const product &p, int at, int n, const float *const *columns, float *const *out) {
    const float *x[Columns];
    for (int c = 0; c < Columns; c++) x[c] = columns[c] + at;
    const uint8_t *weights = p.weights + 2 * static_cast<size_t>(at);
    int r = 0;
    for (; r + V::rows <= p.rows; r += V::rows) {
        multiply_float_block<V, F, V::rows, Columns>(weights + static_cast<size_t>(r) * p.row_bytes, p.row_bytes, n, x,
                                                     out, p.out_row + r, at == 0);
    }
    for (; r < p.rows; r++) {
        multiply_float_block<V, F, 1, Columns>(weights + static_cast<size_t>(r) * p.row_bytes, p.row_bytes, n, x, out,
                                               p.out_row + r, at == 0);
    }
}

// One column: as few rows at a time as keep the multipliers busy, since each is a stream of its own to the memory (one
// row with 512 bits: 1.05 of llama.cpp's decoding, two 0.89, eight 0.86; Zen 5, two threads). Chunk by chunk as with
// several columns, so that the result is the same to the last bit: what a model says must not depend on how much of a
// prompt was computed at once.
template <class V, format F, int Rows>
void stream_float_rows(const product &p, int k, const float *x, float *out, int from, int to) {
    for (int r = from; r + Rows <= to; r += Rows) {
        const uint8_t *weights = p.weights + static_cast<size_t>(r) * p.row_bytes;
        for (int at = 0; at < k; at += float_chunk) {
            const int n = k - at < float_chunk ? k - at : float_chunk;
            const float *columns[1] = {x + at};
            float *const outs[1] = {out};
            multiply_float_block<V, F, Rows, 1>(weights + 2 * static_cast<size_t>(at), p.row_bytes, n, columns, outs,
                                                p.out_row + r, at == 0);
        }
    }
}

template <class V, format F, int Columns>
void multiply_float_columns(const product &p, int k, int n, const float *const *x, float *const *out) {
    if constexpr (Columns > 1) {
        if (n < Columns) return multiply_float_columns<V, F, Columns - 1>(p, k, n, x, out);
        for (int at = 0; at < k; at += float_chunk) {
            multiply_float_rows<V, F, Columns>(p, at, k - at < float_chunk ? k - at : float_chunk, x, out);
        }
    } else {
        constexpr int rows = V::lanes < 16 ? 16 / V::lanes : 1;
        const int whole = p.rows - p.rows % rows;
        stream_float_rows<V, F, rows>(p, k, x[0], out[0], 0, whole);
        stream_float_rows<V, F, 1>(p, k, x[0], out[0], whole, p.rows);
    }
}

template <class V, format F> void multiply_floats(const product &p) {
    const int k = p.steps * step - (p.tail_blocks > 0 ? step - 32 * p.tail_blocks : 0);
    for (int first = 0; first < p.n_columns; first += V::columns) {
        const int n = p.n_columns - first < V::columns ? p.n_columns - first : V::columns;
        const float *x[V::columns];
        float *out[V::columns];
        for (int c = 0; c < n; c++) {
            x[c] = p.source.at(p.columns[first + c].token);
            out[c] = p.columns[first + c].out;
        }
        multiply_float_columns<V, F, V::columns>(p, k, n, x, out);
    }
}

// Rows are handed out 32 at a time: 256 KB of F16 with k = 4096.
template <class V, format F> constexpr kernel make_float_kernel(int min_columns, int min_dense_columns) {
    return {32, 0, nullptr, multiply_floats<V, F>, min_columns, min_dense_columns};
}

}  // namespace panallama
