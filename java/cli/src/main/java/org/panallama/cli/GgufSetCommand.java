package org.panallama.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufEditor;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufValue;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Changes metadata and tensors' names. */
@Command(
        name = "set",
        customSynopsis = "panallama gguf set FILE [KEY=VALUE...] [OPTIONS]",
        description = {
            "Changes a file's metadata, renames tensors or leaves them out. A change that keeps the header's length,"
                    + " such as that of a number, is made in place; otherwise the file is written anew and replaced.",
            "",
            "KEY=VALUE keeps the key's type; a new key gets the type that its value looks like. KEY:TYPE=VALUE gives"
                    + " it one of u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 bool str. An array is written as in JSON."
        },
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama gguf set model.gguf tokenizer.ggml.eos_token_id=2 general.name=\"My model\"",
            "  panallama gguf set model.gguf --from-file tokenizer.chat_template=template.jinja -o fixed.gguf",
            "  panallama gguf set model.gguf llama.rope.scaling.factor:f32=4 --remove general.url"
        })
final class GgufSetCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(index = "0", paramLabel = "FILE", description = "GGUF file.")
    private Path path;

    @Parameters(index = "1..*", paramLabel = "KEY=VALUE", description = "What to set.")
    private List<String> assignments = List.of();

    @Option(names = "--from-file", paramLabel = "KEY=PATH", description = "Set a key to the text of a UTF-8 file.")
    private Map<String, Path> texts = Map.of();

    @Option(names = "--remove", paramLabel = "KEY", description = "Remove a key.")
    private List<String> removed = List.of();

    @Option(names = "--rename", paramLabel = "OLD=NEW", description = "Rename a key.")
    private Map<String, String> renamed = Map.of();

    @Option(names = "--rename-tensor", paramLabel = "OLD=NEW", description = "Rename a tensor.")
    private Map<String, String> renamedTensors = Map.of();

    @Option(names = "--drop-tensor", paramLabel = "NAME", description = "Leave a tensor out.")
    private List<String> dropped = List.of();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write to this file and leave the other as it is.")
    private @Nullable Path output;

    @Mixin(name = "common")
    private CommonOptions common;

    GgufSetCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (assignments.isEmpty()
                && texts.isEmpty()
                && removed.isEmpty()
                && renamed.isEmpty()
                && renamedTensors.isEmpty()
                && dropped.isEmpty()) {
            throw new IllegalArgumentException("nothing to change; name a KEY=VALUE or an option");
        }
        GgufFile file = GgufFile.open(path);
        GgufEditor editor = GgufEditor.of(file);
        removed.forEach(editor::remove);
        renamed.forEach(editor::rename);
        renamedTensors.forEach(editor::renameTensor);
        dropped.forEach(editor::dropTensor);
        for (String argument : assignments) {
            GgufAssignment assignment = GgufAssignment.parse(argument);
            editor.set(assignment.key(), assignment.value(file.metadata()));
        }
        for (Map.Entry<String, Path> text : texts.entrySet()) {
            editor.set(text.getKey(), GgufValue.string(Files.readString(text.getValue())));
        }
        String done = LongWork.run(streams, "writing", progress -> {
            editor.progress(progress);
            if (output != null) {
                editor.writeTo(output);
                return "wrote " + output;
            }
            return (editor.save() ? "changed in place: " : "written anew: ") + path;
        });
        streams.err().println(done);
        return 0;
    }
}
