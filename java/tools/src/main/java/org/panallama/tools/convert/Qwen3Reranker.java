package org.panallama.tools.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.panallama.gguf.internal.WholeFile;

/**
 * A Qwen3 that judges documents by what it would answer, yes or no. Of its output matrix, the rows of these two are the head
 * that llama.cpp scores with. Its class is that of every Qwen3, so that only its name tells.
 *
 * @see <a href="https://huggingface.co/Qwen/Qwen3-Reranker-0.6B">its prompt</a>
 */
final class Qwen3Reranker {

    static final List<String> ANSWERS = List.of("yes", "no");

    static final String TEMPLATE = """
            <|im_start|>system
            Judge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the \
            answer can only be "yes" or "no".<|im_end|>
            <|im_start|>user
            <Instruct>: Given a web search query, retrieve relevant passages that answer the query
            <Query>: {query}
            <Document>: {document}<|im_end|>
            <|im_start|>assistant
            <think>

            </think>

            """;

    private static final String NAME = "qwen3-reranker";

    private Qwen3Reranker() {}

    static boolean is(Path folder, ModelConfig config) {
        Path last = folder.toAbsolutePath().normalize().getFileName();
        return Architecture.of(config) == Architecture.QWEN3
                && (named(last == null ? "" : last.toString())
                        || named(config.json().string("_name_or_path").orElse(""))
                        || titled(folder.resolve("README.md")));
    }

    private static boolean named(String text) {
        return text.toLowerCase(Locale.ROOT).contains(NAME);
    }

    private static boolean titled(Path card) {
        try {
            return Files.exists(card)
                    && WholeFile.text(card)
                            .lines()
                            .anyMatch(line -> line.toLowerCase(Locale.ROOT).startsWith("# " + NAME));
        } catch (IOException e) {
            return false; // that the card cannot be read is said where its facts are needed
        }
    }

    /** The ids of the answers. */
    static List<Integer> answers(Path folder) {
        TokenizerJson json = TokenizerJson.read(folder.resolve("tokenizer.json"));
        Map<String, Integer> vocabulary = json.vocabulary();
        return ANSWERS.stream()
                .map(answer -> {
                    Integer id = vocabulary.get(answer);
                    if (id == null) {
                        throw json.damaged("there is no token '" + answer + "', which a Qwen3-Reranker answers with");
                    }
                    return id;
                })
                .toList();
    }
}
