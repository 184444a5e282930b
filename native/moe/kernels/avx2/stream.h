// Multiplies rows by one or a few columns, as decoding does: weights go from memory through registers into the sums,
// once.
//
// SHAPES      8 rows (a tile), Columns columns, any number of steps
// DEFINITION  total[column] lane r = weights of row r * activations
#pragma once

#include "dot.h"

namespace panallama::PANALLAMA_FLAVOUR {

// Fetches the tile after this one in one ascending stream, an equal part with every quad: the 8 rows of a tile are as
// many streams at once, which memory serves more slowly.
struct read_ahead {
    const uint8_t *at;

    template <int Bytes> void advance() {
        for (int i = 0; i < Bytes; i += 64) _mm_prefetch(reinterpret_cast<const char *>(at + i), _MM_HINT_T0);
        at += Bytes;
    }
};

// More columns than these are faster with a panel.
constexpr int max_stream_columns = 4;

// One step of a tile.
template <format F, int Columns> inline PANALLAMA_INLINE void stream_step(const unpacker<F> &unpack,
                                                                          const tile_source &in,
                                                                          const activation_step *const (&a)[Columns],
                                                                          read_ahead *ahead, __m256 (&total)[Columns]) {
    constexpr code_shape codes = codes_of(F);
    constexpr int group_quads = codes.group / 16;
    constexpr int groups = step / codes.group;
    using sum = dot_sum<F>;
    tile_scales scales;
    unpacker<F>::scales(in, &scales);
    sum s[Columns][groups];  // each lives from its group's first quad to its last
    sum all[Columns];
    repeat<Columns>([&](auto c) PANALLAMA_INLINE { all[c].begin_step(total[c]); });
    unpack.weights(in, [&](auto i, const quad &raw) PANALLAMA_INLINE {
        constexpr int at = i;
        constexpr int g = at / group_quads;
        constexpr bool last = at % group_quads == group_quads - 1;
        // Eight times in a step, as a tile has eight rows.
        if constexpr (at % 2 == 0) ahead->template advance<step_bytes(F)>();
        const quad q = as_codes<F>(raw);
        const __m256i scale = scale_16<F>(scales, g);
        repeat<Columns>([&](auto c) PANALLAMA_INLINE {
            sum &own = s[c][g];
            const auto x = [&](int j) PANALLAMA_INLINE { return four_activations(a[c]->q + 16 * at + 4 * j); };
            if constexpr (at % group_quads == 0) own.begin_group(*a[c], g);
            if constexpr (sum::sums_step) own.sum = all[c].sum;
            if constexpr (!has_vnni && codes.is_signed) {
                constexpr int chain = codes.chain >= 2 ? 2 : 1;
                repeat<4 / chain>([&](auto j) PANALLAMA_INLINE {
                    own.template add_signed<chain>(
                        q.v + chain * j, [&](int k) PANALLAMA_INLINE { return x(chain * j + k); }, scale);
                });
            } else {
                repeat<4>([&](auto j) PANALLAMA_INLINE { own.add(q.v[j], x(j)); });
                if constexpr (last || codes.chain == 4) own.end_chain(scale, !last);
            }
            if constexpr (sum::sums_step) all[c].sum = own.sum;
            if constexpr (last) {
                own.total = all[c].total;
                own.end_group(scales, *a[c], g);
                all[c].total = own.total;
            }
        });
    });
    repeat<Columns>([&](auto c) PANALLAMA_INLINE { total[c] = all[c].end_step(scales, *a[c], total[c]); });
}

}  // namespace panallama::PANALLAMA_FLAVOUR
