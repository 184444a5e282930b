/**
 * The binding to llama.cpp through JNA, for JDKs whose Foreign Function and Memory API is not there or not final.
 *
 * <p>Not for applications: {@code panallama-core} finds {@link org.panallama.jna.JnaBindingProvider} by itself.
 */
@NullMarked
package org.panallama.jna;

import org.jspecify.annotations.NullMarked;
