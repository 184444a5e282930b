/** Pictures of measurements. */
@NullMarked
package org.panallama.tools.chart;

import org.jspecify.annotations.NullMarked;
