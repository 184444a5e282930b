/**
 * GGUF files, the format of llama.cpp's models, without llama.cpp.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the GGUF specification</a>
 */
@NullMarked
package org.panallama.gguf;

import org.jspecify.annotations.NullMarked;
