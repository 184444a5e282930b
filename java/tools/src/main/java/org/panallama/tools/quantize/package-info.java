/** Quantization: models written again with fewer bits, by llama.cpp's own quantizers. */
@NullMarked
package org.panallama.tools.quantize;

import org.jspecify.annotations.NullMarked;
