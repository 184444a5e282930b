package org.panallama.jna;

import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;

/** {@code llama_perf_context_data}, as C has it; public for JNA, which reads and writes the fields. */
@FieldOrder({"t_start_ms", "t_load_ms", "t_p_eval_ms", "t_eval_ms", "n_p_eval", "n_eval", "n_reused"})
public final class LlamaPerfData extends Structure implements Structure.ByValue {

    public double t_start_ms;
    public double t_load_ms;
    public double t_p_eval_ms;
    public double t_eval_ms;
    public int n_p_eval;
    public int n_eval;
    public int n_reused;

    /** Zeros. */
    public LlamaPerfData() {}
}
