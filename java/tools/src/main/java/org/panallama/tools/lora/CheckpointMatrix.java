package org.panallama.tools.lora;

import java.util.List;
import org.panallama.tools.safetensors.SafetensorsTensor;

/**
 * A tensor of a checkpoint or adapter; of more than two dimensions all but the last count as rows, a vector is one row.
 */
record CheckpointMatrix(SafetensorsTensor tensor, long rows, int columns) implements Matrix {

    static CheckpointMatrix of(SafetensorsTensor tensor) {
        List<Long> shape = tensor.shape();
        long columns = shape.isEmpty() ? 1 : shape.get(shape.size() - 1);
        if (columns < 1 || columns > MAX_COLUMNS) {
            throw new LoraException("tensor '" + tensor.name() + "' in " + tensor.file() + " has the shape " + shape
                    + ", rows must have from 1 to " + MAX_COLUMNS + " elements");
        }
        return new CheckpointMatrix(tensor, tensor.elements() / columns, (int) columns);
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        tensor.floats(row * columns, target, start, count * columns);
    }
}
