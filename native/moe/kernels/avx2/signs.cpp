#include "unpack_iq.h"

namespace panallama::PANALLAMA_FLAVOUR {

namespace {

sign_table build() {
    sign_table t{};
    for (unsigned seven = 0; seven < 128; seven++) {
        bool odd = false;
        for (unsigned i = 0; i < 7; i++) odd ^= (seven >> i & 1) != 0;
        const unsigned eight = seven | (odd ? 128u : 0u);
        for (unsigned i = 0; i < 8; i++) t.signs[seven] |= uint64_t{(eight >> i & 1) != 0 ? 0xffu : 0x01u} << 8 * i;
    }
    return t;
}

}  // namespace

const sign_table &signs() {
    static const sign_table table = build();
    return table;
}

}  // namespace panallama::PANALLAMA_FLAVOUR
