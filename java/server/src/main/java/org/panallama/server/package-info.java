/** OpenAI's HTTP API over GGUF models: {@link org.panallama.server.LlamaServer}. */
@NullMarked
package org.panallama.server;

import org.jspecify.annotations.NullMarked;
