// Multiplies rows by one column, as decoding does: weights go from memory through registers into the sums, once.
//
// SHAPES      8 rows (a tile), one column, any number of steps
// DEFINITION  total lane r = weights of row r * activations
#pragma once

#include "dot.h"

namespace panallama::PANALLAMA_FLAVOUR {

// Fetches the tile after this one in one ascending stream, an equal part with every quad: the 8 rows of a tile are as
// many streams at once, which memory serves more slowly.
struct read_ahead {
    const uint8_t *at;

    template <int Bytes> void advance() {
        for (int i = 0; i < Bytes; i += 64) _mm_prefetch(reinterpret_cast<const char *>(at + i), _MM_HINT_T1);
        at += Bytes;
    }
};

// One step of a tile.
template <format F>
inline PANALLAMA_INLINE __m256 stream_step(const unpacker<F> &unpack, const tile_source &in,
                                                         const activation_step &a, read_ahead *ahead, __m256 total) {
    constexpr code_shape codes = codes_of(F);
    constexpr int group_quads = codes.group / 16;
    constexpr int groups = step / codes.group;
    using sum = dot_sum<F>;
    tile_scales scales;
    unpacker<F>::scales(in, &scales);
    sum s[groups];  // each lives from its group's first quad to its last
    sum all;
    all.begin_step(total);
    unpack.weights(in, [&](auto i, const quad &raw) PANALLAMA_INLINE {
        constexpr int at = i;
        constexpr int g = at / group_quads;
        constexpr bool last = at % group_quads == group_quads - 1;
        // Eight times in a step, as a tile has eight rows.
        if constexpr (at % 2 == 0) ahead->template advance<step_bytes(F)>();
        const quad q = as_codes<F>(raw);
        const int8_t *x = a.q + 16 * at;
        if constexpr (at % group_quads == 0) s[g].begin_group(a, g);
        if constexpr (sum::sums_step) s[g].sum = all.sum;
        const __m256i scale = scale_16<F>(scales, g);
        if constexpr (!has_vnni && codes.is_signed) {
            constexpr int chain = codes.chain >= 2 ? 2 : 1;
            for (int j = 0; j < 4; j += chain) {
                s[g].template add_signed<chain>(q.v + j, [&](int k) PANALLAMA_INLINE { return four_activations(x + 4 * (j + k)); }, scale);
            }
        } else {
            for (int j = 0; j < 4; j++) s[g].add(q.v[j], four_activations(x + 4 * j));
            if constexpr (last || codes.chain == 4) s[g].end_chain(scale, !last);
        }
        if constexpr (sum::sums_step) all.sum = s[g].sum;
        if constexpr (last) {
            s[g].total = all.total;
            s[g].end_group(scales, a, g);
            all.total = s[g].total;
        }
    });
    return all.end_step(scales, a, total);
}

}  // namespace panallama::PANALLAMA_FLAVOUR
