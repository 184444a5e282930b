#include "kernels.h"

#include "kernels_by_family.h"

namespace panallama::PANALLAMA_FLAVOUR {

const kernel *find(format f) {
    if (const kernel *k = find_small(f)) return k;
    if (const kernel *k = find_k(f)) return k;
    if (const kernel *k = find_iq(f)) return k;
    return find_float(f);
}

}  // namespace panallama::PANALLAMA_FLAVOUR
