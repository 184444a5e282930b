#include "unpack_iq.h"

namespace panallama::avx512 {

namespace {

template <int N> unsigned level_of(uint8_t value, const uint8_t (&levels)[N]) {
    unsigned i = 0;
    while (levels[i] != value) i++;
    return i;
}

grid_tables build() {
    grid_tables t{};
    for (int half = 0; half < 2; half++) {
        for (unsigned i = 0; i < 4; i++) {
            const unsigned k = 4 * static_cast<unsigned>(half) + i;
            for (int e = 0; e < 256; e++) {
                t.iq2_xxs[half][e] |= static_cast<uint8_t>(level_of(books.iq2_xxs[e][k], iq2_levels) << 2 * i);
            }
            for (int e = 0; e < 512; e++) {
                t.iq2_xs[half][e] |= static_cast<uint8_t>(level_of(books.iq2_xs[e][k], iq2_levels) << 2 * i);
            }
        }
    }
    for (int e = 0; e < 256; e++) {
        for (unsigned i = 0; i < 4; i++) {
            const unsigned level = level_of(books.iq3_xxs[e][i], iq3_levels);
            t.iq3_xxs[0][e] |= static_cast<uint8_t>((level & 3) << 2 * i);
            t.iq3_xxs[1][e] |= static_cast<uint8_t>(level >> 2 << i);
            t.iq3_pair[i / 2][e] |= static_cast<uint8_t>(level << 3 * (i % 2));
        }
    }
    for (int i = 0; i < 64; i++) {
        for (int j = 0; j < 3; j++) {
            t.iq2_magnitude[j][i] = static_cast<uint8_t>(grid_offset + iq2_levels[i >> 2 * j & 3]);
        }
        for (int j = 0; j < 2; j++) {
            t.iq3_magnitude[j][i] = static_cast<uint8_t>(grid_offset + iq3_levels[i >> 3 * j & 7]);
        }
        t.iq2_value[i] = static_cast<uint8_t>(128 + iq2_levels[i % 4]);
        t.iq3_value[i] = static_cast<uint8_t>(128 + iq3_levels[i % 8]);
    }
    return t;
}

}  // namespace

const grid_tables &grids() {
    static const grid_tables tables = build();
    return tables;
}

}  // namespace panallama::avx512
