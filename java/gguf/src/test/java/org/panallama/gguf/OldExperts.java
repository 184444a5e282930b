package org.panallama.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes a model the way converters did until 2024: each expert in a tensor of its own. */
final class OldExperts {

    private OldExperts() {}

    static void unstack(GgufFile file, Path target) throws IOException {
        List<GgufTensor> tensors = new ArrayList<>();
        for (GgufTensor tensor : file.tensors()) {
            if (!isStack(tensor)) {
                tensors.add(tensor);
                continue;
            }
            for (int expert = 0; expert < tensor.dimension(2); expert++) {
                String name = tensor.name().replace("_exps.", "." + expert + ".");
                tensors.add(
                        GgufTensor.of(name, tensor.ggmlType(), tensor.shape().subList(0, 2)));
            }
        }
        try (GgufWriter writer = GgufWriter.create(target, file.metadata(), tensors)) {
            for (GgufTensor tensor : file.tensors()) {
                int pieces = isStack(tensor) ? Math.toIntExact(tensor.dimension(2)) : 1;
                long piece = tensor.bytes() / pieces;
                for (int i = 0; i < pieces; i++) {
                    writer.write(file.map(tensor, i * piece, (int) piece));
                }
            }
            writer.finish();
        }
    }

    private static boolean isStack(GgufTensor tensor) {
        return tensor.name().contains("_exps.");
    }
}
