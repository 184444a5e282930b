/** Not for applications: where results are written. */
@NullMarked
package org.panallama.tools.internal;

import org.jspecify.annotations.NullMarked;
