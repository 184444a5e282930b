/**
 * Stock llama.cpp for the JVM: load a {@link org.panallama.Model}, open a {@link org.panallama.Context} on it, generate text
 * through a {@link org.panallama.Sampler}.
 *
 * <h2>Threads</h2>
 *
 * A {@link org.panallama.Model} and its {@link org.panallama.Vocab} are immutable and may be shared freely. A {@link
 * org.panallama.Context}, a {@link org.panallama.Sampler} and a {@link org.panallama.Batch} serve one thread at a time; a call
 * that finds another thread inside throws {@link java.lang.IllegalStateException} and does nothing. Handing one over between
 * calls is fine.
 *
 * <h2>Life</h2>
 *
 * {@code close()} may be called any number of times. It waits for a call in flight, closes what was made from the object (a
 * model's contexts, for example) and frees the native memory. Any use afterwards throws {@link
 * java.lang.IllegalStateException} and never reaches native code. What is forgotten is freed when it becomes unreachable, with
 * a warning in the log.
 *
 * <h2>Errors</h2>
 *
 * Wrong arguments throw {@link java.lang.IllegalArgumentException} or {@link java.lang.IndexOutOfBoundsException}; what fails
 * in spite of right arguments throws a {@link org.panallama.LlamaException}. No input ends the process: what llama.cpp would
 * abort on is checked before.
 */
@NullMarked
package org.panallama;

import org.jspecify.annotations.NullMarked;
