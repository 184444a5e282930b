package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufModel;
import org.panallama.gguf.GgufTensor;
import org.panallama.tools.convert.TensorNames;
import org.panallama.tools.convert.TensorPlace;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsTensor;

/** What an adapter changes: a checkpoint, or a GGUF file. */
abstract sealed class BaseModel {

    private final Path location;
    private final TensorNames names;

    private BaseModel(Path location, TensorNames names) {
        this.location = location;
        this.names = names;
    }

    static BaseModel open(Path path) {
        return Files.isDirectory(path) ? new Checkpoint(path) : new InGguf(openGguf(path));
    }

    /** Opens a model in one little-endian file. */
    static GgufFile openGguf(Path path) {
        try {
            GgufModel model = GgufModel.open(path);
            if (model.files().size() > 1) {
                throw new LoraException(path + " is a part of a split model: merge it first (panallama gguf merge)");
            }
            GgufFile file = model.files().get(0);
            if (file.order() != ByteOrder.LITTLE_ENDIAN) {
                throw new LoraException(path + " is big-endian, which cannot be handled");
            }
            if (file.string("general.type").orElse("model").equals("adapter")) {
                throw new LoraException(path + " is an adapter, the base must be a model");
            }
            return file;
        } catch (IOException e) {
            throw new LlamaException("Cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    Path location() {
        return location;
    }

    TensorNames names() {
        return names;
    }

    /** The numbers of a tensor, with rows in the order of GGUF files. */
    abstract Matrix matrix(String name, TensorPlace place);

    private static final class Checkpoint extends BaseModel {

        private final Path folder;
        private @Nullable Safetensors weights; // opened when first asked for: most adapters do without

        Checkpoint(Path folder) {
            super(folder, TensorNames.ofCheckpoint(folder));
            this.folder = folder;
        }

        @Override
        Matrix matrix(String name, TensorPlace place) {
            Safetensors checkpoint = weights();
            SafetensorsTensor tensor = CheckpointNames.find(checkpoint, name);
            if (tensor == null) {
                throw new LoraException("the base " + checkpoint.location() + " has no tensor '" + name + "'");
            }
            if (!tensor.shape().equals(place.shape())) {
                throw new LoraException("tensor '" + name + "' in " + tensor.file() + " has the shape " + tensor.shape()
                        + ", by config.json it must be " + place.shape());
            }
            return ReorderedMatrix.of(CheckpointMatrix.of(tensor), place);
        }

        private Safetensors weights() {
            Safetensors opened = weights;
            if (opened == null) {
                opened = Safetensors.open(folder);
                weights = opened;
            }
            return opened;
        }
    }

    private static final class InGguf extends BaseModel {

        private final GgufFile file;

        InGguf(GgufFile file) {
            super(file.path(), TensorNames.of(file));
            this.file = file;
        }

        @Override
        Matrix matrix(String name, TensorPlace place) {
            GgufTensor tensor = file.tensor(place.tensor()).orElseThrow();
            if (!GgufMatrix.TYPES.contains(tensor.ggmlType())) {
                throw new LoraException(
                        "the adapter replaces '" + name + "' whole, and its difference to '" + tensor.name()
                                + "' in " + file.path() + " is needed, which is " + tensor.ggmlType()
                                + ": name the base's checkpoint or an F32, F16, BF16 or Q8_0 file");
            }
            return GgufMatrix.slice(file, tensor, place.expert());
        }
    }
}
