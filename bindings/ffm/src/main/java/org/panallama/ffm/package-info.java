/**
 * The binding to llama.cpp through the Foreign Function and Memory API.
 *
 * <p>Not for applications: {@code panallama-core} finds {@link org.panallama.ffm.FfmBindingProvider} by itself. The classes in
 * {@code org.panallama.ffm.generated} are jextract's output; see this module's README for how they are made again.
 */
@NullMarked
package org.panallama.ffm;

import org.jspecify.annotations.NullMarked;
