/**
 * Importance matrices: how much each column of each weight matrix matters to the model, collected from a text, for quantization
 * to a few bits.
 */
@NullMarked
package org.panallama.tools.imatrix;

import org.jspecify.annotations.NullMarked;
