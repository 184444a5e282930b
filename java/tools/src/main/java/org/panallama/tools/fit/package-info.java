/** Which file type of a model fits a machine. */
@NullMarked
package org.panallama.tools.fit;

import org.jspecify.annotations.NullMarked;
