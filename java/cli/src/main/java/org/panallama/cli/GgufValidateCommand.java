package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.panallama.gguf.GgufFinding;
import org.panallama.gguf.GgufFinding.Severity;
import org.panallama.gguf.GgufValidator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tells all that is wrong with files. */
@Command(
        name = "validate",
        customSynopsis = "panallama gguf validate FILE... [OPTIONS]",
        description =
                "Tells all that is wrong with files, each with the byte where it is: 'damage', 'unloadable' for what"
                        + " llama.cpp refuses though the format allows it, and 'suspicious'. The exit status is 1 if"
                        + " a file is damaged, unloadable or cannot be read.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  panallama gguf validate model.gguf", "  panallama gguf validate --data model-*.gguf"})
final class GgufValidateCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "GGUF files.")
    private List<Path> paths;

    @Option(
            names = "--data",
            description = "Read the tensors, too, and look for NaN and infinity among numbers and scales.")
    private boolean data;

    @Option(names = "--json", description = "Print one JSON array of the findings.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    /** A finding in one of the files. */
    private record Found(Path file, GgufFinding finding) {}

    GgufValidateCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        List<Found> all = new ArrayList<>();
        boolean unread = false;
        for (Path path : paths) {
            List<GgufFinding> findings;
            try {
                findings = check(path);
            } catch (IOException e) { // the others are worth knowing of all the same
                streams.err().println("panallama: " + Printable.escaped(String.valueOf(e.getMessage())));
                unread = true;
                continue;
            }
            findings.forEach(finding -> all.add(new Found(path, finding)));
            if (!json) {
                findings.forEach(finding -> streams.out().line(path + ": " + Printable.escaped(finding.toString())));
                if (findings.isEmpty()) {
                    streams.out().line(path + ": sound");
                }
            }
        }
        if (json) {
            streams.out().json(writer -> write(writer, all));
        }
        streams.out().flush();
        boolean sound = all.stream().allMatch(found -> found.finding().severity() == Severity.SUSPICIOUS);
        return sound && !unread ? 0 : 1;
    }

    private List<GgufFinding> check(Path path) throws IOException {
        return data
                ? LongWork.run(streams, "checking", progress -> GgufValidator.checkWithData(path, progress))
                : GgufValidator.check(path);
    }

    private static void write(JsonWriter writer, List<Found> all) throws IOException {
        writer.beginArray();
        for (Found found : all) {
            GgufFinding finding = found.finding();
            writer.beginObject();
            writer.name("file").value(found.file().toString());
            writer.name("severity").value(finding.severity().name().toLowerCase(Locale.ROOT));
            writer.name("offset").value(finding.offset());
            writer.name("message").value(finding.message());
            writer.endObject();
        }
        writer.endArray();
    }
}
