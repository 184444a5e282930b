package org.panallama.cli;

import java.util.Locale;
import org.panallama.fit.MemoryNeed;
import org.panallama.fit.ModelMemory;
import org.panallama.internal.GgufTensor;

/**
 * What {@code info} tells people.
 *
 * @param out where to
 * @param model the model
 */
record InfoText(Output out, ModelFacts model) {

    void overview() {
        fact(
                "file",
                model.file() + " (" + Printable.bytes(model.fileBytes())
                        + (model.parts() > 1 ? " in " + model.parts() + " parts)" : ")"));
        if (!model.name().isEmpty()) {
            fact("name", Printable.escaped(model.name()));
        }
        long experts = model.number("expert_count");
        fact(
                "architecture",
                model.architecture()
                        + (experts == 0
                                ? ""
                                : ", " + experts + " experts, of which " + model.number("expert_used_count")
                                        + " compute a token"));
        fact(
                "parameters",
                Printable.parameters(model.parameters())
                        + (experts == 0
                                ? ""
                                : ", of which " + Printable.parameters(model.activeParameters()) + " compute a token"));
        fact(
                "file type",
                String.format(Locale.ROOT, "%s, %.2f bits per weight", model.fileType(), model.bitsPerWeight()));
        fact(
                "shape",
                model.number("block_count") + " layers, hidden size " + model.number("embedding_length")
                        + ", feed-forward " + model.number("feed_forward_length") + ", " + heads());
        fact("context", model.number("context_length") + " tokens as trained");
        fact("vocabulary", model.vocabSize() + " tokens, tokenizer " + model.tokenizer());
    }

    private String heads() {
        long heads = model.number("attention.head_count");
        long kvHeads = model.number("attention.head_count_kv");
        return heads + " heads" + (kvHeads == 0 || kvHeads == heads ? "" : " with " + kvHeads + " for keys and values");
    }

    void tensorsByType() {
        out.line("\ntensors");
        for (ModelFacts.TypeShare share : model.byType()) {
            out.line(String.format(
                    Locale.ROOT, "  %-8s %5d  %s", share.type(), share.count(), Printable.bytes(share.bytes())));
        }
        if (model.expertBytes() > 0) {
            out.line(String.format(
                    Locale.ROOT,
                    "  The experts hold %.0f %% of the bytes.",
                    100.0 * model.expertBytes() / model.weightBytes()));
        }
    }

    void everyTensor() {
        out.line("\nevery tensor");
        for (GgufTensor tensor : model.tensors()) {
            out.line(String.format(
                    Locale.ROOT,
                    "  %-40s %-8s %-24s %s",
                    Printable.escaped(tensor.name()),
                    tensor.type(),
                    tensor.shape(),
                    Printable.bytes(tensor.bytes())));
        }
    }

    void metadata() {
        out.line("\nmetadata");
        model.metadata()
                .forEach((key, value) -> out.line("  " + Printable.escaped(key) + " = " + MetadataText.line(value)));
    }

    void memory(MemoryNeed need, ModelMemory memory, Machine machine) {
        String types = new KvTypes(need.keys(), need.values()).toString();
        out.line("\nmemory for a context of " + need.contextLength() + " tokens, KV cache in " + types);
        size("weights", need.weights());
        size("KV cache", need.kvCache());
        size("compute", need.compute());
        size("together", need.total());
        long gpus = machine.memory().gpuTotal();
        String has = "this machine has " + Printable.bytes(machine.memory().total())
                + (gpus == 0 ? "" : ", its GPUs " + Printable.bytes(gpus));
        if (need.total() <= machine.allMemory()) {
            out.line("  It fits: " + has + ".");
            return;
        }
        long longest = memory.longestContext(
                memory.weights(), need.keys(), need.values(), need.microBatch(), machine.allMemory());
        out.line("  It does not fit: " + has + ". "
                + (longest == 0
                        ? "Choose a smaller quantization of the model; --fit tells which."
                        : "Choose a context of up to " + longest + " tokens (-c), or a smaller --kv-type."));
    }

    private void fact(String name, String value) {
        out.line(String.format(Locale.ROOT, "%-13s %s", name, value));
    }

    private void size(String name, long bytes) {
        out.line(String.format(Locale.ROOT, "  %-9s %10s", name, Printable.bytes(bytes)));
    }
}
