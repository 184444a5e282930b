package org.panallama.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.panallama.LlamaException;
import org.panallama.gguf.ExpertStacking;
import org.panallama.gguf.GgufModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes old mixture-of-experts files loadable. */
@Command(
        name = "stack-experts",
        customSynopsis = "panallama gguf stack-experts FILE -o FILE",
        description =
                "Makes an old mixture-of-experts file loadable: of the tensors blk.N.ffn_gate.E.weight, one for each"
                        + " expert, which llama.cpp refuses since 2024, it makes blk.N.ffn_gate_exps.weight, and so"
                        + " for ffn_up and ffn_down. Nothing is lost: quantized numbers are copied as they are.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = "  panallama gguf stack-experts mixtral-old.Q4_K_M.gguf -o mixtral.Q4_K_M.gguf")
final class GgufStackExpertsCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(paramLabel = "FILE", description = "GGUF file.")
    private Path path;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "File to write; it may be the same.")
    private Path output;

    @Mixin(name = "common")
    private CommonOptions common;

    GgufStackExpertsCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        ExpertStacking stacking = ExpertStacking.of(GgufModel.open(path));
        if (stacking.stacked().isEmpty()) {
            throw new LlamaException(path + " has no experts in tensors of their own; there is nothing to stack");
        }
        LongWork.run(streams, "stacking", progress -> {
            stacking.write(output, progress);
            return output;
        });
        streams.err().println("wrote " + output + ": " + stacking.stacked().size() + " tensors of stacked experts");
        return 0;
    }
}
