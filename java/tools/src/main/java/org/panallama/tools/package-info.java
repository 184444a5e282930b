/** What is done to models besides running them. */
@NullMarked
package org.panallama.tools;

import org.jspecify.annotations.NullMarked;
