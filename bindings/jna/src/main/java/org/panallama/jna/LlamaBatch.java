package org.panallama.jna;

import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;

/** {@code llama_batch}, as C has it; public for JNA, which reads and writes the fields. */
@FieldOrder({"n_tokens", "token", "embd", "pos", "n_seq_id", "seq_id", "logits"})
public final class LlamaBatch extends Structure implements Structure.ByValue {

    public int n_tokens;
    public long token;
    public long embd;
    public long pos;
    public long n_seq_id;
    public long seq_id;
    public long logits;

    /** Zeros. */
    public LlamaBatch() {}
}
