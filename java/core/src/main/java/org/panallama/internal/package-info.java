/** Not for applications: finding and loading the native libraries, the log, checks of files before llama.cpp sees them. */
@NullMarked
package org.panallama.internal;

import org.jspecify.annotations.NullMarked;
