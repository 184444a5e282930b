/**
 * LoRA adapters (Hu et al. 2021, arXiv 2106.09685) as PEFT saves them: converted to GGUF, and merged into checkpoints
 * and GGUF files.
 */
@NullMarked
package org.panallama.tools.lora;

import org.jspecify.annotations.NullMarked;
