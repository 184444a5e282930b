package org.panallama.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.panallama.TensorType;

/** Writes LoRA adapters for the tiny model, wrong ones too. */
public final class AdapterWriter {

    private final GgufWriter header = new GgufWriter()
            .put("general.architecture", "llama")
            .put("general.type", "adapter")
            .put("adapter.type", "lora");
    private final List<float[]> data = new ArrayList<>();

    /** @param alpha what the products are multiplied by, before they are divided by the rank */
    public AdapterWriter(float alpha) {
        header.put("adapter.lora.alpha", alpha);
    }

    /** The metadata, which may be changed. */
    public GgufWriter header() {
        return header;
    }

    /** Adds half of a pair, the fastest-varying dimension first; numbers that are not given are zero. */
    public AdapterWriter half(String name, List<Long> shape, float... values) {
        header.tensor(
                name, TensorType.F32, shape.stream().mapToLong(Long::longValue).toArray());
        data.add(values);
        return this;
    }

    /** Adds a pair of small random numbers for a matrix, or for a stack of them. */
    public AdapterWriter pair(String name, long columns, long rows, int experts, int rank, Random random) {
        boolean stacked = experts > 0;
        half(
                name + ".lora_a",
                stacked ? List.of(columns, (long) rank, (long) experts) : List.of(columns, (long) rank),
                numbers((int) columns * rank * Math.max(1, experts), random));
        return half(
                name + ".lora_b",
                stacked ? List.of((long) rank, rows, (long) experts) : List.of((long) rank, rows),
                numbers((int) rows * rank * Math.max(1, experts), random));
    }

    private static float[] numbers(int count, Random random) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (random.nextFloat() - 0.5f) / 5;
        }
        return numbers;
    }

    /** Writes the file. */
    public Path write(Path file) {
        byte[] bytes = header.toBytes();
        int start = header.header().length;
        for (int i = 0; i < data.size(); i++) {
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .position(start + (int) header.tensors().get(i).offset())
                    .slice()
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .put(data.get(i));
        }
        try {
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
