package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.Vocab;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows the tokens of a text. */
@Command(
        name = "tokenize",
        customSynopsis = "panallama tokenize (TEXT | -f FILE) [OPTIONS]",
        description = "Shows the tokens of a text: a line with id and piece for each.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama tokenize \"你好\"",
            "  panallama tokenize -m model.gguf -f text.txt --json",
            "",
            "A token that is a part of a character is shown as its bytes: <0xE4>."
        })
final class TokenizeCommand implements Callable<Integer> {

    private final Streams streams;

    @ArgGroup(multiplicity = "1")
    private Source source = new Source();

    @Mixin
    private ModelFileArgument modelFile;

    @Option(names = "--no-special", description = "Take text that reads like a special token (</s>) as plain text.")
    private boolean noSpecial;

    @Option(names = "--no-bos", description = "Do not add the tokens that the model wants around a text.")
    private boolean noBos;

    @Option(names = "--json", description = "Print {\"ids\":[…],\"pieces\":[…]}.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    TokenizeCommand(Streams streams) {
        this.streams = streams;
    }

    /** The text, given in one of two ways. */
    static final class Source {

        @Parameters(paramLabel = "TEXT", description = "The text.")
        private @Nullable String text;

        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "File with the text, every byte of it; - for stdin.")
        private @Nullable String file;
    }

    @Override
    public Integer call() {
        String text =
                source.file == null ? Objects.requireNonNull(source.text) : TextFile.read(source.file, streams.in());
        try (Model model = Model.load(
                modelFile.path(), ModelOptions.builder().vocabOnly(true).build())) {
            Vocab vocab = model.vocab();
            int[] ids = vocab.tokenize(text, !noBos, !noSpecial);
            if (json) {
                streams.out().json(writer -> write(writer, vocab, ids));
            } else {
                for (int id : ids) {
                    streams.out().line(String.format(Locale.ROOT, "%6d  %s", id, Printable.quoted(piece(vocab, id))));
                }
                streams.out().flush();
            }
        }
        return 0;
    }

    private static void write(JsonWriter json, Vocab vocab, int[] ids) throws IOException {
        json.beginObject();
        json.name("ids").beginArray();
        for (int id : ids) {
            json.value(id);
        }
        json.endArray();
        json.name("pieces").beginArray();
        for (int id : ids) {
            json.value(piece(vocab, id));
        }
        json.endArray();
        json.endObject();
    }

    /** The token's text, or its bytes where they are no whole characters. */
    private static String piece(Vocab vocab, int id) {
        byte[] bytes = vocab.pieceBytes(id, true);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            StringBuilder text = new StringBuilder();
            for (byte b : bytes) {
                text.append(String.format(Locale.ROOT, "<0x%02X>", b));
            }
            return text.toString();
        }
    }
}
