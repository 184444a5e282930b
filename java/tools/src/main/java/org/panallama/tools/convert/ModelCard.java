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
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufValue;
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
                String yaml = frontMatter(Files.readAllLines(file));
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

    void addTo(Map<String, GgufValue> metadata) {
        put(metadata, "general.author", "author", "model_author", "model_creator");
        put(metadata, "general.version", "version", "model_version");
        put(metadata, "general.organization", "organization", "model_organization");
        put(metadata, "general.description", "description", "model_description");
        List<String> licences = texts("license");
        if (!licences.isEmpty()) {
            metadata.put("general.license", GgufValue.string(String.join(",", licences)));
        }
        put(metadata, "general.license.name", "license_name");
        put(metadata, "general.license.link", "license_link");
        put(metadata, "general.source.url", "url", "model_url");
        put(metadata, "general.source.repo_url", "repo_url", "model_repo_url");
        addRepositories(metadata, "general.base_model", texts("base_model", "base_models", "base_model_sources"));
        addRepositories(metadata, "general.dataset", texts("datasets", "dataset", "dataset_sources"));
        addList(metadata, "general.tags", texts("tags"), texts("pipeline_tag"));
        addList(metadata, "general.languages", texts("languages"), texts("language"));
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
        boolean address = id.contains("://");
        int slash = address ? -1 : id.indexOf('/');
        if (!address) {
            facts.put("name", title(id.substring(slash + 1)));
        }
        if (slash > 0) {
            facts.put("organization", title(id.substring(0, slash)));
        }
        if (address || slash > 0) {
            facts.put("repo_url", address ? text : "https://huggingface.co/" + id);
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

    private void put(Map<String, GgufValue> metadata, String key, String... spellings) {
        text(spellings).ifPresent(value -> metadata.put(key, GgufValue.string(value)));
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
