package org.panallama.tools.lora;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsTensor;

/** Finds what an adapter changes in a checkpoint. */
final class CheckpointChanges {

    private final Safetensors base;
    private final PeftAdapter adapter;
    private final float weight;
    private final Misfits misfits = new Misfits();

    CheckpointChanges(Safetensors base, PeftAdapter adapter, float weight) {
        this.base = base;
        this.adapter = adapter;
        this.weight = weight;
    }

    void addTo(Map<String, List<Change>> changes) {
        adapter.requireMergeable();
        boolean transposed = transposed();
        for (AdapterModule module : adapter.modules()) {
            SafetensorsTensor tensor = CheckpointNames.find(base, module.name());
            if (tensor == null) {
                misfits.addUnknown(module.name());
            } else {
                changes.computeIfAbsent(tensor.name(), name -> new ArrayList<>())
                        .addAll(changes(module, tensor, transposed));
            }
        }
        misfits.refuse(adapter.folder(), base.location());
    }

    private List<Change> changes(AdapterModule module, SafetensorsTensor tensor, boolean transposed) {
        List<Change> changes = new ArrayList<>();
        SafetensorsTensor saved = module.saved();
        if (saved != null && misfits.fits(module.name(), saved.shape(), tensor.shape())) {
            changes.add(new Change.Replacement(0, CheckpointMatrix.of(saved), weight));
        }
        LowRank pair = module.pair();
        if (pair != null) {
            LowRank turned = transposed ? pair.transposed() : pair;
            if (misfits.fits(module.name(), turned.shape(), tensor.shape())) {
                changes.add(new Change.Addition(0, turned, weight));
            }
        }
        return changes;
    }

    /**
     * Whether the base's layers are of the kind Conv1D, whose matrices lie transposed. PEFT knows the layers; here the
     * shapes tell, since {@code fan_in_fan_out} may be set and without effect. Square matrices alone are as the flag
     * says.
     */
    private boolean transposed() {
        if (!adapter.config().transposed()) {
            return false;
        }
        return adapter.modules().stream().noneMatch(this::fitsAsItIs);
    }

    private boolean fitsAsItIs(AdapterModule module) {
        LowRank pair = module.pair();
        SafetensorsTensor tensor = CheckpointNames.find(base, module.name());
        return pair != null && tensor != null && !isSquare(pair) && pair.shape().equals(tensor.shape());
    }

    private static boolean isSquare(LowRank pair) {
        return pair.b().rows() == pair.a().columns();
    }
}
