/** Not for applications: what Panallama's own modules share. */
@NullMarked
package org.panallama.gguf.internal;

import org.jspecify.annotations.NullMarked;
