package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.panallama.Device;
import org.panallama.Llama;
import org.panallama.TensorType;
import org.panallama.fit.MachineMemory;
import org.panallama.fit.MemoryNeed;
import org.panallama.fit.ModelMemory;
import org.panallama.fit.Placement;
import org.panallama.fit.Weights;
import org.panallama.tools.fit.Fit;
import org.panallama.tools.fit.QuantizedWeights;
import org.panallama.tools.quantize.FileType;

/**
 * What of a model fits this machine.
 *
 * @param model the model
 * @param memory that it takes
 * @param need of the file as it is
 * @param machine to run on
 * @param fit in every file type
 */
record FitReport(ModelFacts model, ModelMemory memory, MemoryNeed need, Machine machine, Fit fit)
        implements Output.JsonBody {

    /** llama.cpp's default, and ours. */
    static final int MICRO_BATCH = 512;

    private static final List<FileType> TYPES = List.of(
            FileType.F16,
            FileType.Q8_0,
            FileType.Q6_K,
            FileType.Q5_K_M,
            FileType.Q5_0,
            FileType.Q4_K_M,
            FileType.Q4_0,
            FileType.Q3_K_M,
            FileType.IQ3_XXS,
            FileType.Q2_K,
            FileType.IQ2_XS,
            FileType.IQ2_XXS);
    private static final List<TensorType> CACHE_TYPES = List.of(TensorType.F16, TensorType.Q8_0, TensorType.Q4_0);
    private static final long[] LENGTHS = {4096, 16384, 32768, 131072};

    static FitReport of(ModelFacts model, ModelMemory memory, MemoryNeed need, Machine machine) {
        List<Weights> types = new ArrayList<>(List.of(memory.weights()));
        if (Llama.isAvailable()) {
            QuantizedWeights quantized = QuantizedWeights.read(model.file(), memory.layers());
            TYPES.stream()
                    .map(quantized::in)
                    .filter(weights -> weights.bytes() < memory.weights().bytes())
                    .forEach(types::add);
        }
        Fit fit = Fit.of(
                memory, types, machine.memory(), need.contextLength(), need.keys(), need.values(), need.microBatch());
        return new FitReport(model, memory, need, machine, fit);
    }

    void print(Output out) {
        MachineMemory has = machine.memory();
        out.line(String.format(Locale.ROOT, "%-13s %s", "file", model.file()));
        out.line(String.format(
                Locale.ROOT,
                "%-13s %s, of which %s available",
                "main memory",
                Printable.bytes(has.total()),
                Printable.bytes(has.available())));
        for (Device gpu : has.gpus()) {
            out.line(String.format(
                    Locale.ROOT,
                    "%-13s %s, of which %s free (%s)",
                    gpu.name(),
                    Printable.bytes(gpu.totalMemory()),
                    Printable.bytes(gpu.freeMemory()),
                    gpu.description()));
        }
        out.line("\nKV cache for a context of");
        StringBuilder head = new StringBuilder("        ");
        lengths().forEach(length -> head.append(String.format(Locale.ROOT, "%12d", length)));
        out.line(head.toString());
        for (TensorType type : CACHE_TYPES) {
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "  %-6s", type));
            lengths()
                    .forEach(length ->
                            line.append(String.format(Locale.ROOT, "%12s", Printable.bytes(cache(length, type)))));
            out.line(line.toString());
        }
        out.line("\nwith a context of " + need.contextLength() + " tokens: KV cache in "
                + new KvTypes(need.keys(), need.values()) + " " + Printable.bytes(need.kvCache()) + ", compute "
                + Printable.bytes(need.compute()));
        out.line(String.format(
                Locale.ROOT,
                "  %-10s %10s %6s %12s %12s  %-30s %s",
                "type",
                "weights",
                "bpw",
                "main memory",
                "GPU memory",
                "placement",
                "longest context"));
        for (Fit.Choice choice : fit.choices()) {
            Placement placement = choice.placement();
            out.line(String.format(
                    Locale.ROOT,
                    "  %-10s %10s %6.2f %12s %12s  %-30s %d",
                    choice.weights().type(),
                    Printable.bytes(choice.weights().bytes()),
                    choice.weights().bitsPerWeight(),
                    Printable.bytes(placement.mainMemory()),
                    Printable.bytes(placement.gpuMemory()),
                    placement.fits() ? words(placement) : "does not fit",
                    choice.longestContext()));
        }
        out.line(fit.best()
                .map(best -> "\nBest: " + best.weights().type() + ", " + words(best.placement())
                        + (options(best.placement()).isEmpty() ? "" : " (" + options(best.placement()) + ")") + ".")
                .orElse("\nNothing fits. Choose a shorter context (-c), a smaller --kv-type, or a smaller model."));
    }

    private LongStream lengths() {
        return LongStream.concat(
                        LongStream.of(LENGTHS).filter(length -> length < memory.trainedLength()),
                        LongStream.of(memory.trainedLength(), need.contextLength()))
                .filter(length -> length > 0)
                .sorted()
                .distinct();
    }

    private long cache(long length, TensorType type) {
        return memory.need(length, type, type, MICRO_BATCH).kvCache();
    }

    private String words(Placement placement) {
        int layers = memory.layers();
        if (placement.gpuLayers() == 0) {
            return "all on the CPU";
        }
        String onGpu = placement.gpuLayers() > layers
                ? "all on the GPU"
                : (placement.gpuLayers() - 1) + " of " + layers + " layers on the GPU";
        if (!placement.expertsOnCpu()) {
            return onGpu;
        }
        return onGpu + " but "
                + (placement.cpuExpertLayers() >= layers
                        ? "the experts"
                        : "experts of " + placement.cpuExpertLayers() + " layers");
    }

    private static String options(Placement placement) {
        if (placement.gpuLayers() == 0) {
            return "";
        }
        return "-ngl " + placement.gpuLayers()
                + (placement.expertsOnCpu() ? " --n-cpu-moe " + placement.cpuExpertLayers() : "");
    }

    @Override
    public void write(JsonWriter json) throws IOException {
        json.beginObject();
        json.name("file").value(model.file().toString());
        json.name("main_memory").value(machine.memory().total());
        json.name("main_memory_available").value(machine.memory().available());
        json.name("gpu_memory").value(machine.memory().gpuTotal());
        json.name("gpu_memory_available").value(machine.memory().gpuAvailable());
        json.name("devices");
        machine.write(json);
        json.name("context").value(need.contextLength());
        json.name("key_type").value(need.keys().toString());
        json.name("value_type").value(need.values().toString());
        json.name("kv_caches").beginArray();
        for (TensorType type : CACHE_TYPES) {
            for (long length : lengths().toArray()) {
                json.beginObject();
                json.name("type").value(type.toString());
                json.name("context").value(length);
                json.name("bytes").value(cache(length, type));
                json.endObject();
            }
        }
        json.endArray();
        json.name("types").beginArray();
        for (Fit.Choice choice : fit.choices()) {
            write(json, choice);
        }
        json.endArray();
        json.name("best").value(fit.best().map(best -> best.weights().type()).orElse(null));
        json.endObject();
    }

    private static void write(JsonWriter json, Fit.Choice choice) throws IOException {
        json.beginObject();
        json.name("type").value(choice.weights().type());
        json.name("weights").value(choice.weights().bytes());
        json.name("bits_per_weight").value(choice.weights().bitsPerWeight());
        json.name("kv_cache").value(choice.need().kvCache());
        json.name("compute").value(choice.need().compute());
        json.name("main_memory").value(choice.placement().mainMemory());
        json.name("gpu_memory").value(choice.placement().gpuMemory());
        json.name("gpu_layers").value(choice.placement().gpuLayers());
        json.name("cpu_expert_layers").value(choice.placement().cpuExpertLayers());
        json.name("fits").value(choice.placement().fits());
        json.name("longest_context").value(choice.longestContext());
        json.endObject();
    }
}
