package org.panallama.jna;

import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;

/** {@code llama_model_quantize_params}, as C has it; public for JNA, which reads and writes the fields. */
@FieldOrder({
    "nthread",
    "ftype",
    "output_tensor_type",
    "token_embedding_type",
    "allow_requantize",
    "quantize_output_tensor",
    "only_copy",
    "pure",
    "keep_split",
    "dry_run",
    "imatrix",
    "kv_overrides",
    "tt_overrides",
    "prune_layers",
    "max_buf_size"
})
public final class LlamaQuantizeParams extends Structure implements Structure.ByValue {

    public int nthread;
    public int ftype;
    public int output_tensor_type;
    public int token_embedding_type;
    public byte allow_requantize;
    public byte quantize_output_tensor;
    public byte only_copy;
    public byte pure;
    public byte keep_split;
    public byte dry_run;
    public long imatrix;
    public long kv_overrides;
    public long tt_overrides;
    public long prune_layers;
    public long max_buf_size;

    /** Zeros. */
    public LlamaQuantizeParams() {}

    /** In the structure's memory, where a run that is under way looks. */
    void turnOnDryRun() {
        getPointer().setByte(fieldOffset("dry_run"), (byte) 1);
    }
}
