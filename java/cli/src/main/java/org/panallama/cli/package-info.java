/** The {@code panallama} program: one class for each command, mixins for the options that they share. */
@NullMarked
package org.panallama.cli;

import org.jspecify.annotations.NullMarked;
