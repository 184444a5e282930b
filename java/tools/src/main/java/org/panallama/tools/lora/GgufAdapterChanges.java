package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.panallama.LlamaException;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;

/** Finds what an adapter in GGUF format changes in a GGUF file; {@link AdapterTensors} has its layout. */
final class GgufAdapterChanges {

    private static final String A = ".lora_a";
    private static final String B = ".lora_b";
    private static final String ALPHA = "adapter.lora.alpha";
    private static final String EMBEDDING = "token_embd.weight";

    private final GgufFile base;
    private final GgufFile adapter;
    private final float weight;
    private final double alpha;
    private final Misfits misfits = new Misfits();

    GgufAdapterChanges(GgufFile base, WeightedAdapter adapter) {
        this.base = base;
        this.weight = adapter.weight();
        try {
            this.adapter = GgufFile.open(adapter.location());
        } catch (IOException e) {
            throw new LlamaException("Cannot read " + adapter.location() + ": " + e.getMessage(), e);
        }
        this.alpha = this.adapter.number(ALPHA).orElse(0);
        check();
    }

    private void check() {
        String type = adapter.string("general.type").orElse("model");
        String kind = adapter.string("adapter.type").orElse("");
        if (!type.equals("adapter") || !kind.equals("lora")) {
            throw new LoraException(adapter.path() + " is no LoRA adapter: general.type is '" + type
                    + "', must be 'adapter'; adapter.type is '" + kind + "', must be 'lora'");
        }
        String architecture = adapter.string("general.architecture").orElse("");
        String wanted = base.string("general.architecture").orElse("");
        if (!architecture.equals(wanted)) {
            throw new LoraException(adapter.path() + " is for models of the architecture '" + architecture
                    + "', the base " + base.path() + " is '" + wanted + "'");
        }
        if (adapter.metadata().containsKey("adapter.alora.invocation_tokens")) {
            throw new LoraException(adapter.path()
                    + " is an activated LoRA, which takes part from certain tokens on, so that it cannot be merged");
        }
        if (!AdapterConfig.isAlpha(alpha)) {
            throw new LoraException(
                    adapter.path() + ": " + ALPHA + " is " + alpha + ", must be " + AdapterConfig.ALPHAS);
        }
        if (adapter.order() != ByteOrder.LITTLE_ENDIAN) {
            throw new LoraException(adapter.path() + " is big-endian, which cannot be handled");
        }
    }

    void addTo(Map<String, List<Change>> changes) {
        List<String> strange = new ArrayList<>();
        for (GgufTensor tensor : adapter.tensors()) {
            String name = tensor.name();
            if (!name.endsWith(A) && !name.endsWith(B) || !GgufMatrix.TYPES.contains(tensor.ggmlType())) {
                strange.add("'" + name + "' of type " + tensor.ggmlType());
            }
        }
        Misfits.refuse(
                "tensors in " + adapter.path() + " are no halves of low-rank pairs of the types " + GgufMatrix.TYPES,
                strange);
        for (GgufTensor a : adapter.tensors()) {
            String name = a.name().substring(0, a.name().length() - A.length());
            GgufTensor b = adapter.tensor(name + (a.name().endsWith(A) ? B : A)).orElse(null);
            if (b == null) {
                misfits.add("'" + a.name() + "' lacks its other half");
            } else if (a.name().endsWith(A)) {
                base.tensor(name)
                        .ifPresentOrElse(
                                tensor -> changes.computeIfAbsent(name, any -> new ArrayList<>())
                                        .addAll(additions(tensor, a, b)),
                                () -> misfits.addUnknown(name));
            }
        }
        misfits.refuse(adapter.path(), base.path());
    }

    private List<Change> additions(GgufTensor tensor, GgufTensor a, GgufTensor b) {
        boolean embedding = tensor.name().equals(EMBEDDING);
        long rows = embedding ? a.dimension(1) : b.dimension(1);
        long columns = embedding ? b.dimension(1) : a.dimension(0);
        long rank = b.dimension(0);
        long rankOfA = embedding ? a.dimension(0) : a.dimension(1);
        List<Long> made = List.of(columns, rows, a.dimension(2), b.dimension(2));
        List<Long> wanted = List.of(tensor.dimension(0), tensor.dimension(1), tensor.dimension(2), tensor.dimension(2));
        if (rank != rankOfA || !made.equals(wanted)) {
            misfits.add("'" + tensor.name() + "' is " + tensor.shape() + " in the base, the adapter has lora_a "
                    + a.shape() + " and lora_b " + b.shape());
            return List.of();
        }
        float scale = (float) (alpha == 0 ? 1 : alpha / rank);
        List<Change> changes = new ArrayList<>();
        for (long expert = 0; expert < tensor.dimension(2); expert++) {
            Matrix left = GgufMatrix.slice(adapter, embedding ? a : b, expert);
            Matrix right = embedding
                    ? new TransposedMatrix(GgufMatrix.slice(adapter, b, expert))
                    : GgufMatrix.slice(adapter, a, expert);
            changes.add(new Change.Addition(expert * rows, new LowRank(left, right, scale), weight));
        }
        return changes;
    }
}
