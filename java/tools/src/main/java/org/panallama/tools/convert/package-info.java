/**
 * Hugging Face checkpoints become GGUF files: {@link org.panallama.tools.convert.Converter} reads the configuration, the
 * tokenizer and the safetensors of a folder and writes what llama.cpp loads.
 *
 * <p>Metadata keys, tensor names and layouts are those of llama.cpp's own converter, so that the files are
 * interchangeable.
 */
@NullMarked
package org.panallama.tools.convert;

import org.jspecify.annotations.NullMarked;
