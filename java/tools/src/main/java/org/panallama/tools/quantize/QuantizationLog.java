package org.panallama.tools.quantize;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.TensorType;

/**
 * Learns what llama.cpp does to each tensor from what it logs meanwhile, which it tells in no other way. For each tensor, v0.4.0
 * logs a line like {@code [   2/  71] output.weight - [ 256, 8192, 1, 1], type = f16,} and then one like {@code size = 4.00 MiB
 * -> 1.64 MiB (q6_K)} in a dry run, or {@code size = 0.001 MiB} where the tensor stays as it is.
 */
final class QuantizationLog implements Consumer<String> {

    private static final Pattern TENSOR =
            Pattern.compile("\\[ *\\d+/ *\\d+] (.+?) +- \\[([ \\d,]+)], type = +(\\w+),.*");
    private static final Pattern CONVERTED = Pattern.compile("size = .* -> .* \\((\\w+)\\)");
    private static final Pattern KEPT = Pattern.compile("size = +[\\d.]+ MiB");
    private static final Pattern MISFIT =
            Pattern.compile("warning: (.+?) +- ncols +\\d+ not divisible by +\\d+ \\(required for type +(\\w+)\\).*");

    private static final Map<String, TensorType> TYPES =
            Arrays.stream(TensorType.values()).collect(Collectors.toMap(TensorType::ggmlName, type -> type));

    private final IntConsumer started;
    private final Map<String, TensorType> misfits = new HashMap<>();
    private final List<TensorPlan> tensors = new ArrayList<>();
    private @Nullable String name;
    private List<Long> shape = List.of();
    private @Nullable TensorType from;
    private int begun;

    /** @param started is told the number of tensors that were begun before, when another one is */
    QuantizationLog(IntConsumer started) {
        this.started = started;
    }

    @Override
    public void accept(String line) {
        String text = line.strip();
        Matcher tensor = TENSOR.matcher(text);
        Matcher converted = CONVERTED.matcher(text);
        Matcher misfit = MISFIT.matcher(text);
        if (tensor.matches()) {
            name = tensor.group(1);
            shape = Arrays.stream(tensor.group(2).split(","))
                    .map(size -> Long.parseLong(size.strip()))
                    .toList();
            from = TYPES.get(tensor.group(3));
            started.accept(begun++);
        } else if (misfit.matches()) {
            misfits.put(misfit.group(1), TYPES.get(misfit.group(2)));
        } else if (from != null && converted.matches()) {
            end(TYPES.get(converted.group(1)));
        } else if (from != null && KEPT.matcher(text).matches()) {
            end(from);
        }
    }

    private void end(@Nullable TensorType to) {
        if (name != null && from != null && to != null) {
            tensors.add(new TensorPlan(name, shape, from, to, misfits.get(name)));
        }
        from = null;
    }

    /** The tensors of a dry run. */
    List<TensorPlan> tensors() {
        return tensors;
    }

    /** How many tensors were begun. */
    int begun() {
        return begun;
    }
}
