/** What quantizing a model costs and gives: size, perplexity, divergence and speed of each file type. */
@NullMarked
package org.panallama.tools.table;

import org.jspecify.annotations.NullMarked;
