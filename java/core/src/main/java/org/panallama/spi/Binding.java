package org.panallama.spi;

/** The whole of llama.cpp that Panallama calls. One instance per JVM; safe for use by several threads where llama.cpp is. */
public interface Binding
        extends BackendCalls,
                ModelCalls,
                QuantizeCalls,
                VocabCalls,
                ChatCalls,
                ContextCalls,
                TensorCalls,
                BatchCalls,
                MemoryCalls,
                StateCalls,
                SamplerCalls {}
