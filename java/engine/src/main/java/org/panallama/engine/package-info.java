/** Many requests over one context: continuous batching, shared prefixes, speculative decoding. */
@NullMarked
package org.panallama.engine;

import org.jspecify.annotations.NullMarked;
