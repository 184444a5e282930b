/**
 * Safetensors files, the format of Hugging Face checkpoints: read mapped, one file or many with an index, and written in a
 * stream.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
@NullMarked
package org.panallama.tools.safetensors;

import org.jspecify.annotations.NullMarked;
