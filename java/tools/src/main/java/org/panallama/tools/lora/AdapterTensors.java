package org.panallama.tools.lora;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufTensor;
import org.panallama.tools.convert.TensorPlace;
import org.panallama.tools.safetensors.SafetensorsTensor;

/**
 * Plans the tensors of a GGUF adapter, two for each tensor of the base that is changed.
 *
 * <p>DEFINITION: what llama.cpp adds to the product of a tensor with x is alpha / rank * lora_b (lora_a x), with one
 * alpha for the file. Where a module's scale is another, the rest goes into its lora_b.
 *
 * <p>LAYOUT: lora_a has the rank for rows, lora_b for columns; those of experts are stacked. The embedding is looked
 * up, not multiplied, so there lora_a has a row for each token, and lora_b turns it into the hidden state.
 */
final class AdapterTensors {

    /** A tensor and its numbers. */
    record Planned(GgufTensor tensor, Matrix matrix) {}

    private static final String EMBEDDING = "token_embd.weight";

    /** Looked up or added, never multiplied, so that llama.cpp has no place for a pair there. */
    private static final Set<String> NOT_MULTIPLIED = Set.of("position_embd.weight", "token_types.weight");

    private record Member(TensorPlace place, LowRank pair) {}

    private final BaseModel base;
    private final double alpha;
    private final GgmlType format;
    private final Misfits misfits = new Misfits();
    private final Map<String, List<Member>> members = new LinkedHashMap<>();
    private final List<Planned> planned = new ArrayList<>();

    private AdapterTensors(BaseModel base, double alpha, GgmlType format) {
        this.base = base;
        this.alpha = alpha;
        this.format = format;
    }

    static List<Planned> of(PeftAdapter adapter, BaseModel base, double alpha, GgmlType format) {
        AdapterTensors tensors = new AdapterTensors(base, alpha, format);
        adapter.modules().forEach(tensors::sort);
        tensors.misfits.refuse(adapter.folder(), base.location());
        tensors.members.forEach(tensors::plan);
        return List.copyOf(tensors.planned);
    }

    private void sort(AdapterModule module) {
        TensorPlace place = base.names().place(module.name()).orElse(null);
        if (place == null) {
            misfits.addUnknown(module.name());
            return;
        }
        String problem = problem(module, place);
        if (problem != null) {
            misfits.add("'" + module.name() + "' " + problem + ": merge it instead (panallama lora merge)");
            return;
        }
        LowRank pair = module.pair();
        SafetensorsTensor saved = module.saved();
        LowRank change;
        if (pair != null) {
            if (!misfits.fits(module.name(), pair.shape(), place.shape())) {
                return;
            }
            change = new LowRank(ReorderedMatrix.of(pair.b(), place), pair.a(), pair.scale());
        } else if (saved != null && misfits.fits(module.name(), saved.shape(), place.shape())) {
            change = fullRank(module.name(), saved, place);
        } else {
            return;
        }
        members.computeIfAbsent(place.tensor(), name -> new ArrayList<>()).add(new Member(place, change));
    }

    /** Why llama.cpp cannot apply a change while it runs the base. */
    private @Nullable String problem(AdapterModule module, TensorPlace place) {
        if (place.shape().size() != 2 || NOT_MULTIPLIED.contains(place.tensor())) {
            return "is no matrix that llama.cpp multiplies, so that no adapter can change it at run time";
        }
        if (place.tensor().equals(EMBEDDING) && base.names().tiedEmbeddings()) {
            return "is also the base's output matrix, for which llama.cpp would need the pair another way round";
        }
        return module.pair() != null && module.saved() != null
                ? "is both replaced and changed by a low-rank pair"
                : null;
    }

    /** The difference to the base, times the identity on its shorter side. */
    private LowRank fullRank(String name, SafetensorsTensor saved, TensorPlace place) {
        Matrix replacement = ReorderedMatrix.of(CheckpointMatrix.of(saved), place);
        Matrix difference = new DifferenceMatrix(replacement, base.matrix(name, place));
        int rank = (int) Math.min(difference.rows(), difference.columns());
        // The identity takes what llama.cpp will divide by, so that the difference stays exact.
        Matrix identity = new DiagonalMatrix(rank, (float) (rank / alpha));
        float scale = (float) (alpha / rank);
        return difference.rows() > rank
                ? new LowRank(difference, identity, scale)
                : new LowRank(identity, difference, scale);
    }

    private void plan(String name, List<Member> group) {
        TensorPlace place = group.get(0).place();
        int rank = group.stream().mapToInt(member -> member.pair().rank()).max().orElseThrow();
        if (place.experts() > 0) {
            planStack(name, group, rank);
            return;
        }
        LowRank pair = group.get(0).pair();
        Matrix b = StackedMatrix.scaled(pair.b(), factor(pair, rank));
        if (name.equals(EMBEDDING)) {
            add(name + ".lora_a", b, 0);
            add(name + ".lora_b", transposed(pair.a()), 0);
        } else {
            add(name + ".lora_a", pair.a(), 0);
            add(name + ".lora_b", b, 0);
        }
    }

    private static Matrix transposed(Matrix matrix) {
        return matrix instanceof DiagonalMatrix ? matrix : new TransposedMatrix(matrix);
    }

    /** Smaller ranks are filled up with zeros, and so are experts that the adapter leaves alone. */
    private void planStack(String name, List<Member> group, int rank) {
        TensorPlace place = group.get(0).place();
        Map<Integer, StackedMatrix.Part> a = new HashMap<>();
        Map<Integer, StackedMatrix.Part> b = new HashMap<>();
        for (Member member : group) {
            LowRank pair = member.pair();
            a.put(member.place().expert(), new StackedMatrix.Part(pair.a(), 1));
            b.put(member.place().expert(), new StackedMatrix.Part(pair.b(), factor(pair, rank)));
        }
        int columns = group.get(0).pair().a().columns();
        add(name + ".lora_a", new StackedMatrix(place.experts(), rank, columns, a), place.experts());
        add(name + ".lora_b", new StackedMatrix(place.experts(), place.rows(), rank, b), place.experts());
    }

    private float factor(LowRank pair, int rank) {
        float factor = (float) (pair.scale() * rank / alpha);
        return Math.abs(factor - 1) < 1e-6f ? 1 : factor; // no rounding where the scale is the common one
    }

    private void add(String name, Matrix matrix, int experts) {
        List<Long> shape = new ArrayList<>(List.of((long) matrix.columns(), matrix.rows()));
        if (experts > 0) {
            shape.set(1, matrix.rows() / experts);
            shape.add((long) experts);
        }
        planned.add(new Planned(GgufTensor.of(name, format(matrix), shape), matrix));
    }

    private GgmlType format(Matrix matrix) {
        if (matrix instanceof DiagonalMatrix) {
            return GgmlType.F32;
        }
        return matrix.columns() % format.blockSize() == 0 ? format : GgmlType.F16;
    }
}
