package org.panallama.jna;

import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;

/** {@code llama_sampler_chain_params}, as C has it; public for JNA, which reads and writes the fields. */
@FieldOrder({"no_perf"})
public final class LlamaSamplerChainParams extends Structure implements Structure.ByValue {

    public byte no_perf;

    /** Zeros. */
    public LlamaSamplerChainParams() {}
}
