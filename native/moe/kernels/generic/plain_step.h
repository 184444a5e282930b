// The scalar definition of every format: what 256 weights of a row mean.
//
// DEFINITION  weight[k] = scale[k / group] * q[k] - min_scale * mins[k / (256 / n_mins)]
#pragma once

#include "../format.h"

namespace panallama {

struct plain_step {
    int16_t q[step];
    float scale[16];
    float min_scale;
    uint8_t mins[16];
};

// Reads one step of a row. `blocks` counts the blocks that exist for 32-weight formats (eight in a whole step);
// weights past them read as zero.
void read_step(format f, const uint8_t *in, int blocks, plain_step *out);

}  // namespace panallama
