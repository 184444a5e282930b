package org.panallama.tools.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.internal.WholeFile;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * The YAML header of a checkpoint's {@code README.md}: licence, languages, tags, what the model was made from.
 *
 * @see <a href="https://github.com/huggingface/hub-docs/blob/main/modelcard.md?plain=1">the format</a>
 */
final class ModelCard {

    private static final String FENCE = "---";

    private final Map<?, ?> header;

    private ModelCard(Map<?, ?> header) {
        this.header = header;
    }

    /** Empty if there is no card; a damaged one is worth a warning only, since nothing is computed from it. */
    static ModelCard read(Path folder, List<String> warnings) {
        Path file = folder.resolve("README.md");
        try {
            if (Files.exists(file)) {
                String yaml = frontMatter(WholeFile.text(file).lines().toList());
                Object root = new Load(LoadSettings.builder().build()).loadFromString(yaml.replace("\t", "  "));
                if (root instanceof Map<?, ?> map) {
                    return new ModelCard(map);
                }
            }
        } catch (IOException | YamlEngineException e) {
            warnings.add(file + " has a header that cannot be read, and is left out: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
        return new ModelCard(Map.of());
    }

    private static String frontMatter(List<String> lines) {
        if (lines.isEmpty() || !lines.get(0).strip().equals(FENCE)) {
            return "";
        }
        return lines.stream()
                .skip(1)
                .takeWhile(line -> !line.strip().equals(FENCE))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    Optional<String> name() {
        return text("name", "model_name");
    }

    /**
     * Adds what the card says, and what it leaves open and one of the ids tells.
     *
     * @param ids of the model, the most trustworthy first
     * @param sizeLabel if neither says it
     */
    void addTo(Map<String, GgufValue> metadata, List<ModelId> ids, String sizeLabel) {
        put(metadata, "general.author", text("author", "model_author", "model_creator"));
        put(metadata, "general.version", text("version", "model_version").or(() -> first(ids, ModelId::version)));
        put(
                metadata,
                "general.organization",
                text("organization", "model_organization")
                        .or(() -> first(ids, ModelId::organization).map(ModelCard::title)));
        put(metadata, "general.finetune", text("finetune", "model_finetune").or(() -> first(ids, ModelId::finetune)));
        put(
                metadata,
                "general.basename",
                text("basename", "model_basename", "model_type").or(() -> first(ids, ModelId::basename)));
        put(metadata, "general.description", text("description", "model_description"));
        put(
                metadata,
                "general.size_label",
                text("size_label", "model_size_label")
                        .or(() -> first(ids, ModelId::sizeLabel))
                        .or(() -> Optional.of(sizeLabel)));
        List<String> licences = texts("license");
        if (!licences.isEmpty()) {
            metadata.put("general.license", GgufValue.string(String.join(",", licences)));
        }
        put(metadata, "general.license.name", text("license_name"));
        put(metadata, "general.license.link", text("license_link"));
        put(metadata, "general.source.url", text("url", "model_url"));
        put(metadata, "general.source.doi", text("doi", "model_doi"));
        put(metadata, "general.source.uuid", text("uuid", "model_uuid"));
        put(metadata, "general.source.repo_url", text("repo_url", "model_repo_url"));
        List<String> bases = texts("base_model", "base_models", "base_model_sources");
        addRepositories(metadata, "general.base_model", bases);
        addRepositories(metadata, "general.dataset", texts("datasets", "dataset", "dataset_sources"));
        addList(metadata, "general.tags", texts("tags"), texts("pipeline_tag"));
        addList(metadata, "general.languages", texts("languages"), texts("language"));
    }

    private static Optional<String> first(List<ModelId> ids, Function<ModelId, @Nullable String> fact) {
        return ids.stream().map(fact).filter(Objects::nonNull).findFirst();
    }

    private static void addRepositories(Map<String, GgufValue> metadata, String prefix, List<String> repositories) {
        if (repositories.isEmpty()) {
            return;
        }
        metadata.put(prefix + ".count", GgufValue.uint32(repositories.size()));
        for (int i = 0; i < repositories.size(); i++) {
            repository(repositories.get(i)).forEach(entry(metadata, prefix + "." + i + "."));
        }
    }

    private static BiConsumer<String, String> entry(Map<String, GgufValue> metadata, String prefix) {
        return (key, value) -> metadata.put(prefix + key, GgufValue.string(value));
    }

    /** {@code organization/name} on Hugging Face, or an address. */
    private static Map<String, String> repository(String text) {
        Map<String, String> facts = new LinkedHashMap<>();
        String id = text.replaceFirst("^https?://huggingface\\.co/([^/]+/[^/]+)$", "$1");
        if (id.contains("://")) {
            facts.put("repo_url", text);
            return facts;
        }
        ModelId parts = ModelId.of(id);
        facts.put("name", title(parts.name()));
        if (parts.version() != null) {
            facts.put("version", parts.version());
        }
        if (parts.organization() != null) {
            facts.put("organization", title(parts.organization()));
            facts.put("repo_url", "https://huggingface.co/" + id);
        }
        return facts;
    }

    /** {@code mixtral-8x7B-instruct} becomes {@code Mixtral 8x7B Instruct}. */
    static String title(String id) {
        return Arrays.stream(id.strip().split("[-\\s]+"))
                .map(word -> word.matches("[a-z]\\S*")
                                && word.equals(word.toLowerCase(Locale.ROOT))
                                && !word.matches("v\\d+(\\.\\d+)*")
                        ? Character.toUpperCase(word.charAt(0)) + word.substring(1)
                        : word)
                .collect(Collectors.joining(" "));
    }

    private static void addList(Map<String, GgufValue> metadata, String key, List<String> some, List<String> more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(more);
        if (!all.isEmpty()) {
            metadata.put(key, GgufValue.strings(all));
        }
    }

    private static void put(Map<String, GgufValue> metadata, String key, Optional<String> text) {
        text.ifPresent(value -> metadata.put(key, GgufValue.string(value)));
    }

    private Optional<String> text(String... keys) {
        return texts(keys).stream().findFirst();
    }

    private List<String> texts(String... keys) {
        for (String key : keys) {
            Object value = header.get(key);
            if (value instanceof Collection<?> list) {
                return list.stream()
                        .map(ModelCard::scalar)
                        .flatMap(Optional::stream)
                        .toList();
            }
            Optional<String> single = scalar(value);
            if (single.isPresent()) {
                return List.of(single.get());
            }
        }
        return List.of();
    }

    private static Optional<String> scalar(@Nullable Object value) {
        return value instanceof String || value instanceof Number || value instanceof Boolean
                ? Optional.of(value.toString())
                : Optional.empty();
    }
}
