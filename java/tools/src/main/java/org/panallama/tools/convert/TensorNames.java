package org.panallama.tools.convert;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;

/**
 * Translates the names of a checkpoint's tensors into those of a GGUF file, for one model: whose checkpoint or GGUF
 * file it is known by. Immutable, for any number of threads.
 */
public final class TensorNames {

    private record Source(Pattern pattern, TensorRule rule) {}

    /** What is known of the model. */
    private interface Sizes {

        /** The shape in the GGUF file, the slowest-varying dimension first; empty if there is no such tensor. */
        Optional<List<Long>> shape(TensorRule rule, String target, long layer);

        long heads(TensorRule rule);

        /** The file that says so. */
        Path file();
    }

    private final Architecture architecture;
    private final boolean tied;
    private final Sizes sizes;
    private final List<Source> sources = new ArrayList<>();

    private TensorNames(Architecture architecture, boolean tied, Sizes sizes) {
        this.architecture = architecture;
        this.tied = tied;
        this.sizes = sizes;
        for (TensorRule rule : architecture.tensors()) {
            for (String source : rule.sources()) {
                if (source.indexOf('#') < 0) {
                    sources.add(new Source(pattern(source), rule));
                }
            }
        }
    }

    private static Pattern pattern(String source) {
        return Pattern.compile(Pattern.quote(source)
                .replace("{l}", "\\E(?<layer>\\d{1,6})\\Q")
                .replace("{e}", "\\E(?<expert>\\d{1,6})\\Q"));
    }

    /**
     * Of a checkpoint.
     *
     * @param folder with {@code config.json}; its weights are not needed
     * @throws ConversionException if the configuration is missing, or of an architecture that cannot be converted
     */
    public static TensorNames ofCheckpoint(Path folder) {
        ModelConfig config = ModelConfig.read(folder);
        Architecture architecture = Architecture.of(config);
        return new TensorNames(architecture, config.tiedEmbeddings(), new ConfiguredSizes(config));
    }

    /**
     * Of a model in GGUF format.
     *
     * @throws ConversionException if its architecture is not one that checkpoints can be converted to
     */
    public static TensorNames of(GgufFile model) {
        String name = model.string("general.architecture").orElse("");
        boolean experts = model.integer(name + ".expert_count").orElse(0) > 0;
        Architecture architecture = Arrays.stream(Architecture.values())
                .filter(each -> each.ggufName().equals(name) && (each.hasExperts() == experts || each.encoder()))
                .findFirst()
                .orElseThrow(() -> new ConversionException(model.path() + ": the architecture '" + name
                        + "' is not among those whose checkpoints can be converted"));
        boolean tied = model.tensor("output.weight").isEmpty() && !architecture.encoder();
        return new TensorNames(architecture, tied, new FileSizes(model, name));
    }

    /** llama.cpp's name of the architecture. */
    public String architecture() {
        return architecture.ggufName();
    }

    /** Whether the output matrix is the embedding, and has no tensor of its own. */
    public boolean tiedEmbeddings() {
        return tied;
    }

    /**
     * Where a tensor goes.
     *
     * @param name in the checkpoint, for instance {@code model.layers.0.self_attn.q_proj.weight}; the prefix
     *     {@code model.} may be absent
     * @return empty if the model has no such tensor
     */
    public Optional<TensorPlace> place(String name) {
        String canonical = architecture.canonical(name);
        for (Source source : sources) {
            Matcher matcher = source.pattern().matcher(canonical);
            if (matcher.matches()) {
                return place(source.rule(), group(matcher, "layer"), group(matcher, "expert"));
            }
        }
        return Optional.empty();
    }

    private static int group(Matcher matcher, String name) {
        return matcher.pattern().pattern().contains("<" + name + ">") ? Integer.parseInt(matcher.group(name)) : -1;
    }

    private Optional<TensorPlace> place(TensorRule rule, int layer, int expert) {
        if (tied && rule.trait() == TensorRule.Trait.OUTPUT) {
            return Optional.empty();
        }
        String target = rule.target().replace("{l}", Integer.toString(layer));
        return sizes.shape(rule, target, layer).flatMap(shape -> {
            boolean stacked = expert >= 0;
            int experts = stacked ? Math.toIntExact(shape.get(0)) : 0;
            if (expert >= experts && stacked) {
                return Optional.empty();
            }
            int heads = Math.toIntExact(sizes.heads(rule));
            if (heads > 0 && shape.get(0) % (2L * heads) != 0) {
                throw new ConversionException(sizes.file() + ": '" + target + "' has " + shape.get(0)
                        + " rows, which cannot be those of " + heads + " heads");
            }
            return Optional.of(new TensorPlace(
                    target, stacked ? shape.subList(1, shape.size()) : shape, experts, Math.max(0, expert), heads));
        });
    }

    private record ConfiguredSizes(ModelConfig config, Map<String, Long> dimensions) implements Sizes {

        ConfiguredSizes(ModelConfig config) {
            this(config, config.dimensions());
        }

        @Override
        public Optional<List<Long>> shape(TensorRule rule, String target, long layer) {
            if (layer >= config.layers() || !dimensions.keySet().containsAll(rule.shape())) {
                return Optional.empty();
            }
            return Optional.of(rule.shape().stream().map(dimensions::get).toList());
        }

        @Override
        public long heads(TensorRule rule) {
            return switch (rule.trait()) {
                case ROTARY_Q -> config.heads();
                case ROTARY_K -> config.kvHeads();
                default -> 0;
            };
        }

        @Override
        public Path file() {
            return config.json().file();
        }
    }

    private record FileSizes(GgufFile model, String architecture) implements Sizes {

        @Override
        public Optional<List<Long>> shape(TensorRule rule, String target, long layer) {
            return model.tensor(target).map(tensor -> shape(rule, tensor));
        }

        /** llama.cpp drops dimensions of 1 at the end. */
        private static List<Long> shape(TensorRule rule, GgufTensor tensor) {
            List<Long> shape = new ArrayList<>();
            for (int i = 0; i < Math.max(rule.shape().size(), tensor.shape().size()); i++) {
                shape.add(tensor.dimension(i));
            }
            Collections.reverse(shape);
            return shape;
        }

        @Override
        public long heads(TensorRule rule) {
            String queries = architecture + ".attention.head_count";
            return switch (rule.trait()) {
                case ROTARY_Q -> heads(model.integer(queries), queries);
                case ROTARY_K -> {
                    String keys = queries + "_kv";
                    yield model.metadata().containsKey(keys)
                            ? heads(model.integer(keys), keys)
                            : heads(model.integer(queries), queries);
                }
                default -> 0;
            };
        }

        @Override
        public Path file() {
            return model.path();
        }

        private long heads(OptionalLong count, String key) {
            long heads = count.orElse(0);
            if (heads < 1 || heads > Integer.MAX_VALUE) {
                throw new ConversionException(model.path() + ": metadata key '" + key + "' is "
                        + model.metadata().get(key) + ", must be a number of heads from 1");
            }
            return heads;
        }
    }
}
