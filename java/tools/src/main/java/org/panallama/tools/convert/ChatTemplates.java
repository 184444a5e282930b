package org.panallama.tools.convert;

import com.google.gson.JsonElement;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.internal.WholeFile;
import org.panallama.tools.internal.JsonFile;

/** The Jinja templates of conversations: one for most models, named ones for special uses. */
final class ChatTemplates {

    private static final String DEFAULT = "default";
    private static final String KEY = "tokenizer.chat_template";

    private ChatTemplates() {}

    static void add(TokenizerSource source, Map<String, GgufValue> metadata) {
        Map<String, String> templates = find(source);
        if (source.architecture() == Architecture.QWEN3_RERANKER) {
            templates.putIfAbsent("rerank", Qwen3Reranker.TEMPLATE);
        }
        String main = templates.remove(DEFAULT);
        List<String> names = new ArrayList<>();
        templates.forEach((name, template) -> {
            String plain = name.replaceAll("[^A-Za-z0-9]", "_");
            names.add(plain);
            metadata.put(KEY + "." + plain, GgufValue.string(template));
        });
        if (!names.isEmpty()) {
            metadata.put("tokenizer.chat_templates", GgufValue.strings(names));
        }
        if (main != null) {
            metadata.put(KEY, GgufValue.string(main));
        }
    }

    private static Map<String, String> find(TokenizerSource source) {
        Map<String, String> templates = new TreeMap<>();
        JsonElement stated = source.tokenizerConfig().value("chat_template");
        Path file = source.folder().resolve("chat_template.jinja");
        if (stated != null && stated.isJsonPrimitive()) {
            templates.put(DEFAULT, stated.getAsString());
        } else if (stated != null && stated.isJsonArray()) {
            for (JsonElement element : stated.getAsJsonArray()) {
                addNamed(source, element, templates);
            }
        } else if (Files.exists(file)) {
            templates.put(DEFAULT, read(file));
            addFolder(source.folder().resolve("additional_chat_templates"), templates);
        } else {
            JsonFile.readIfPresent(source.folder().resolve("chat_template.json"), ConversionException::new)
                    .string("chat_template")
                    .ifPresent(template -> templates.put(DEFAULT, template));
        }
        return templates;
    }

    private static void addNamed(TokenizerSource source, JsonElement element, Map<String, String> templates) {
        if (element.isJsonObject()) {
            JsonFile named = source.tokenizerConfig().within(element.getAsJsonObject());
            named.string("name")
                    .ifPresent(name -> named.string("template").ifPresent(template -> templates.put(name, template)));
        }
    }

    private static void addFolder(Path folder, Map<String, String> templates) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.jinja")) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                templates.put(name.substring(0, name.length() - ".jinja".length()), read(file));
            }
        } catch (IOException e) {
            throw new ConversionException(folder + " cannot be read: " + e, e);
        }
    }

    private static String read(Path file) {
        try {
            return WholeFile.text(file);
        } catch (IOException e) {
            throw new ConversionException(file + " cannot be read: " + e, e);
        }
    }
}
