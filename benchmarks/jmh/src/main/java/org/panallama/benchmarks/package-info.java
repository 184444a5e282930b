/** Benchmarks with JMH. {@code benchmarks/README.md} says how to run them, {@code RESULTS.md} what came of it. */
@NullMarked
package org.panallama.benchmarks;

import org.jspecify.annotations.NullMarked;
