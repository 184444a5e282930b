package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.panallama.LlamaException;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ChunkPipeline;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.internal.OutputPlace;
import org.panallama.tools.internal.StagingFolder;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsEntry;
import org.panallama.tools.safetensors.SafetensorsIndex;
import org.panallama.tools.safetensors.SafetensorsTensor;
import org.panallama.tools.safetensors.SafetensorsType;
import org.panallama.tools.safetensors.SafetensorsWriter;

/**
 * Merges adapters into a checkpoint of any architecture, shard by shard in little memory: W += weight * scale * (B A),
 * the product in single precision and in the order of the rank, the sum rounded to the base's own type unless the
 * options name another; modules that an adapter holds whole take the place of the base's. What no adapter changes stays
 * as it is, byte for byte.
 *
 * <pre>{@code
 * CheckpointMerger.open(Path.of("Mixtral-8x7B-v0.1"), List.of(WeightedAdapter.of(Path.of("lora"))),
 *                 MergeOptions.defaults())
 *         .write(Path.of("chinese-mixtral"), Progress.NONE);
 * }</pre>
 *
 * <p>With several adapters, or a weight other than 1, a module held whole counts with its difference to the base, so
 * that the order of adapters does not matter. For any number of threads.
 */
public final class CheckpointMerger {

    /** Weights in any format; everything else belongs to the merged model too. */
    private static final Pattern WEIGHTS =
            Pattern.compile(".*\\.(safetensors|bin|pth|pt|gguf|h5|msgpack|onnx)|.*\\.index\\.json|\\..*");

    private static final Map<SafetensorsType, GgmlType> FORMATS = Map.of(
            SafetensorsType.F32, GgmlType.F32, SafetensorsType.F16, GgmlType.F16, SafetensorsType.BF16, GgmlType.BF16);

    private final Path folder;
    private final Safetensors base;
    private final Map<String, List<Change>> changes;
    private final MergeOptions options;

    private CheckpointMerger(Path folder, Safetensors base, Map<String, List<Change>> changes, MergeOptions options) {
        this.folder = folder;
        this.base = base;
        this.changes = changes;
        this.options = options;
    }

    /**
     * Reads the adapters and finds their tensors in the base.
     *
     * @param base folder of the checkpoint
     * @param adapters folders as PEFT saves them, at least one
     * @param options threads, and F32, F16, BF16 or nothing as the type
     * @throws IllegalArgumentException if there is no adapter, or the type is one that checkpoints do not have
     * @throws LoraException if an adapter is of another kind or does not fit the base: the message lists tensors and
     *     shapes
     * @throws org.panallama.tools.safetensors.SafetensorsException if a file of weights is damaged
     */
    public static CheckpointMerger open(Path base, List<WeightedAdapter> adapters, MergeOptions options) {
        if (adapters.isEmpty()) {
            throw new IllegalArgumentException("there is no adapter, at least one is needed");
        }
        if (options.type() == ConversionType.Q8_0) {
            throw new IllegalArgumentException("type is Q8_0, a checkpoint must be F32, F16 or BF16");
        }
        if (!Files.isDirectory(base)) {
            throw new LoraException("the base " + base + " is no folder; a checkpoint is a folder with safetensors");
        }
        Safetensors checkpoint = Safetensors.open(base);
        Map<String, List<Change>> changes = new LinkedHashMap<>();
        for (WeightedAdapter adapter : adapters) {
            new CheckpointChanges(checkpoint, PeftAdapter.read(adapter.location()), adapter.weight()).addTo(changes);
        }
        for (String name : changes.keySet()) {
            SafetensorsTensor tensor = checkpoint.require(name);
            if (!FORMATS.containsKey(tensor.type())) {
                throw new LoraException("'" + name + "' in " + tensor.file() + " has the type "
                        + tensor.type().name()
                        + ": adapters can be merged into F32, F16 and BF16; merge into the original checkpoint");
            }
        }
        return new CheckpointMerger(base, checkpoint, changes, options);
    }

    /** Size of the tensors that will be written. */
    public long bytes() {
        return base.tensors().values().stream()
                .mapToLong(tensor -> entry(tensor).bytes())
                .sum();
    }

    private SafetensorsEntry entry(SafetensorsTensor tensor) {
        return changes.containsKey(tensor.name())
                ? new SafetensorsEntry(
                        tensor.name(), SafetensorsType.valueOf(format(tensor).name()), tensor.shape())
                : tensor.entry();
    }

    private GgmlType format(SafetensorsTensor tensor) {
        return options.format(FORMATS.getOrDefault(tensor.type(), GgmlType.F32));
    }

    /**
     * Writes the merged checkpoint: shards, index, and the base's configuration and tokenizer.
     *
     * @param target folder, absent or empty; it appears when it is complete
     * @param progress is told the part that is done
     * @throws LlamaException if the disk has no room, a file cannot be written, or the base or an adapter changed
     * @throws java.util.concurrent.CancellationException if {@code progress} said so; nothing is left behind then
     */
    public MergeReport write(Path target, Progress progress) {
        List<String> warnings = new ArrayList<>();
        try {
            OutputPlace.requireFolder(target);
            try (StagingFolder staging = new StagingFolder(target);
                    MatrixStream stream = new MatrixStream(options.threads())) {
                OutputPlace.requireRoom(target, bytes());
                ByteCount count = new ByteCount(bytes(), progress);
                for (Path shard : base.files()) {
                    writeShard(
                            Safetensors.open(shard),
                            staging.file(shard.getFileName().toString()),
                            stream,
                            count,
                            warnings);
                }
                writeIndex(staging);
                copyOthers(staging);
                staging.moveIntoPlace();
            }
        } catch (IOException e) {
            throw OutputPlace.failed(target, e);
        }
        return new MergeReport(changes.size(), base.tensors().size(), bytes(), warnings);
    }

    private void writeShard(Safetensors shard, Path target, MatrixStream stream, ByteCount count, List<String> warnings)
            throws IOException {
        List<SafetensorsTensor> tensors = List.copyOf(shard.tensors().values());
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                target, shard.metadata(), tensors.stream().map(this::entry).toList())) {
            ChunkPipeline.Sink sink = data -> {
                int bytes = data.remaining();
                writer.write(data);
                count.add(bytes);
            };
            for (SafetensorsTensor tensor : tensors) {
                List<Change> own = changes.get(tensor.name());
                if (own == null) {
                    stream.copy(tensor, sink);
                    continue;
                }
                GgmlType format = format(tensor);
                if (stream.write(new MergedMatrix(CheckpointMatrix.of(tensor), own), format, sink)) {
                    warnings.add(MergeReport.overflow(tensor.name(), format));
                }
            }
            writer.finish();
        }
    }

    private void writeIndex(StagingFolder target) {
        Path index = folder.resolve(SafetensorsIndex.FILE_NAME);
        if (Files.exists(index)) {
            new SafetensorsIndex(SafetensorsIndex.read(index).shards(), bytes())
                    .write(target.file(SafetensorsIndex.FILE_NAME));
        }
    }

    private void copyOthers(StagingFolder target) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = file.getFileName().toString();
                if (!WEIGHTS.matcher(name).matches()) {
                    Files.copy(file, target.file(name));
                }
            }
        }
    }
}
