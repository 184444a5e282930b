// The sources of this folder are compiled twice, with different instruction-set flags: for cores that multiply vectors
// (SDOT), and for cores that multiply small matrices too (SMMLA). Each has a namespace of its own, so that the linker
// never takes one's inline functions for the other's.
#pragma once

#ifdef __ARM_FEATURE_MATMUL_INT8
#define PANALLAMA_NEON_FLAVOUR i8mm
#else
#define PANALLAMA_NEON_FLAVOUR dotprod
#endif
