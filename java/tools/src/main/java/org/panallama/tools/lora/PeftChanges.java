package org.panallama.tools.lora;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.panallama.gguf.GgufFile;
import org.panallama.tools.convert.TensorNames;
import org.panallama.tools.convert.TensorPlace;
import org.panallama.tools.safetensors.SafetensorsTensor;

/** Finds what an adapter in PEFT's format changes in a GGUF file. */
final class PeftChanges {

    private final GgufFile base;
    private final TensorNames names;
    private final PeftAdapter adapter;
    private final float weight;
    private final Misfits misfits = new Misfits();

    PeftChanges(GgufFile base, PeftAdapter adapter, float weight) {
        this.base = base;
        this.names = TensorNames.of(base);
        this.adapter = adapter;
        this.weight = weight;
    }

    void addTo(Map<String, List<Change>> changes) {
        adapter.requireMergeable();
        for (AdapterModule module : adapter.modules()) {
            names.place(module.name())
                    .ifPresentOrElse(
                            place -> changes.computeIfAbsent(place.tensor(), name -> new ArrayList<>())
                                    .addAll(changes(module, place)),
                            () -> misfits.addUnknown(module.name()));
        }
        misfits.refuse(adapter.folder(), base.path());
    }

    private List<Change> changes(AdapterModule module, TensorPlace place) {
        List<Change> changes = new ArrayList<>();
        long firstRow = place.expert() * place.rows();
        SafetensorsTensor saved = module.saved();
        if (saved != null && misfits.fits(module.name(), saved.shape(), place.shape())) {
            Matrix matrix = ReorderedMatrix.of(CheckpointMatrix.of(saved), place);
            changes.add(new Change.Replacement(firstRow, matrix, weight));
        }
        LowRank pair = module.pair();
        if (pair != null && misfits.fits(module.name(), pair.shape(), place.shape())) {
            LowRank reordered = new LowRank(ReorderedMatrix.of(pair.b(), place), pair.a(), pair.scale());
            changes.add(new Change.Addition(firstRow, reordered, weight));
        }
        return changes;
    }
}
