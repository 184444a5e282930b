/**
 * What a binding to llama.cpp has to offer: handles as {@code long}, primitives, arrays, direct buffers.
 *
 * <p>Not for applications. Nothing here checks its arguments: a wrong handle, index or length ends the process. The public
 * classes of {@code org.panallama} check everything before they call in here. Enum-like {@code int}s carry the values of
 * {@code llama.h} of the pinned release.
 */
@NullMarked
package org.panallama.spi;

import org.jspecify.annotations.NullMarked;
