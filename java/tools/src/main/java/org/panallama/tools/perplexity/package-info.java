/** How well a model predicts a text: perplexity, and how far its predictions are from another model's. */
@NullMarked
package org.panallama.tools.perplexity;

import org.jspecify.annotations.NullMarked;
