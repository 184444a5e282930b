/** What a model takes of memory, what a machine has of it, and which of the model's parts go where. */
@NullMarked
package org.panallama.fit;

import org.jspecify.annotations.NullMarked;
