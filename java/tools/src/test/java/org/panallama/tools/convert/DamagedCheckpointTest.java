package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Values that no checkpoint should have are refused by name, and none takes more memory or time than a sound one. */
class DamagedCheckpointTest {

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        SmallCheckpoints.all(folder);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        sentencepiece/config.json | "num_hidden_layers":1 | "num_hidden_layers":2147483647 | 2147483647 layers
        byte-level/config.json | "num_local_experts":2 | "num_local_experts":2147483647 | must be [2147483647, 4] (experts × hidden)
        sentencepiece/config.json | "num_attention_heads":2 | "num_attention_heads":1E9 | 1000000000 heads for a hidden size of 4
        sentencepiece/config.json | "hidden_size":4 | "hidden_size":2147483647 | must be [8, 2147483647]
        byte-level/config.json | "original_max_position_embeddings":8 | "original_max_position_embeddings":4294967296 | must be from 1 to
        byte-level/config.json | ["MixtralForCausalLM"] | [["a", "b"]] | has no architectures
        byte-level/config.json | [3,4,5,6] | [3,[],5] | [eos_token_id] is [], must be a number
        byte-level/generation_config.json | [4, 5] | [4, Infinity] | eos_token_id
        byte-level/generation_config.json | "top_k": 40 | "top_k": 1e400 | [top_k] is 1e400, must be an integer
        unigram/config.json | "pad_token_id":1 | "pad_token_id":2147483648 | pad_token_id is 2147483648
        unigram/tokenizer.json | -2.5 | 1E9.0 | [model.vocab] is "1E9.0", must be a number
        unigram/tokenizer.json | ["b", -3] | [{}, -3] | must be a pair of text and score
        unigram/tokenizer.json | AAAA | A | precompiled_charsmap is no Base64
        byte-level/tokenizer.json | ["ab", "c"] | ["ab", null] | must be two tokens
        byte-level/tokenizer.json | "id": 7 | "id": 4294967295 | must be a token's id
        byte-level/tokenizer.json | "id": 7 | "id": -7 | has the id -7, must be at least 0
        sentencepiece/added_tokens.json | 5 | [] | [<pad>] is [], must be a number
        sentencepiece/tokenizer_config.json | "6" | "-6" | has the id -6, must be at least 0
        """)
    void aDamagedValueIsNamed(String file, String sound, String damaged, String message) throws IOException {
        Path path = folder.resolve(file);
        String text = Files.readString(path);
        assertThat(text).contains(sound);
        Files.writeString(path, text.replace(sound, damaged));

        assertThatThrownBy(() -> Converter.open(path.getParent(), ConversionOptions.defaults()))
                .isInstanceOf(ConversionException.class)
                .hasMessageContaining(message);
    }

    /** As some checkpoints state that there is none. */
    @Test
    void aNegativeEndTokenIsNone() throws IOException {
        Path config = folder.resolve("sentencepiece/config.json");
        Files.writeString(config, Files.readString(config).replace("\"eos_token_id\":2", "\"eos_token_id\":-1"));

        assertThat(Converter.open(config.getParent(), ConversionOptions.defaults())
                        .metadata())
                .doesNotContainKey("tokenizer.ggml.eos_token_id");
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "tokenizer.model"})
    void aFileThatIsTooLargeIsNotRead(String name) throws IOException {
        Path file = folder.resolve("sentencepiece").resolve(name);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(3L << 30);
        }

        assertThatThrownBy(() -> Converter.open(file.getParent(), ConversionOptions.defaults()))
                .isInstanceOf(ConversionException.class)
                .hasMessageContainingAll(name, "it has 3221225472 bytes");
    }
}
