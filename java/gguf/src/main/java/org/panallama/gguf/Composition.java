package org.panallama.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;

/** A file to be written: metadata, tensors, and where each tensor's data comes from. */
final class Composition {

    private final GgufFormat format;
    private final Map<String, GgufValue> metadata;
    private final List<GgufTensor> tensors = new ArrayList<>();
    private final List<TensorSource> sources = new ArrayList<>();

    Composition(GgufFormat format, Map<String, GgufValue> metadata) {
        this.format = format;
        this.metadata = metadata;
    }

    Composition add(GgufTensor tensor, TensorSource source) {
        tensors.add(tensor);
        sources.add(source);
        return this;
    }

    /** Writes the file and moves it into place. */
    void write(Path target, DoublePredicate progress) throws IOException {
        try (GgufWriter writer = begin(target, Work.on(tensors, progress))) {
            writer.finish();
        }
    }

    /** Returns a writer that has got everything but is still to be finished. */
    GgufWriter begin(Path target, Work work) throws IOException {
        GgufWriter writer = GgufWriter.create(target, format, metadata, tensors, work);
        try {
            for (int i = 0; i < tensors.size(); i++) {
                sources.get(i).writeTo(writer);
                GgufTensor expected = i + 1 < tensors.size() ? tensors.get(i + 1) : null;
                if (writer.current() != expected) {
                    throw new IllegalStateException(
                            "the source of tensor '" + tensors.get(i).name() + "' did not give its "
                                    + tensors.get(i).bytes() + " bytes");
                }
            }
            writer.complete();
            return writer;
        } catch (IOException | RuntimeException | Error e) {
            writer.close();
            throw e;
        }
    }
}
