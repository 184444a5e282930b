/** Whether a model fits a machine's memory, and how it is made to. */
@NullMarked
package org.panallama.tools.fit;

import org.jspecify.annotations.NullMarked;
