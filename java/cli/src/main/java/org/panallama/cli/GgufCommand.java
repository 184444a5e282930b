package org.panallama.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The commands that work on GGUF files themselves. */
@Command(
        name = "gguf",
        synopsisSubcommandLabel = "COMMAND",
        description = "Reads, checks and changes GGUF files, of any size and without llama.cpp.",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama gguf dump model.gguf",
            "  panallama gguf set model.gguf general.name=\"My model\"",
            "  panallama gguf split model.gguf --max-size 4G -o parts/model",
            "  panallama gguf stack-experts old-mixtral.gguf -o mixtral.gguf"
        })
final class GgufCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Mixin(name = "common")
    private CommonOptions common;

    private GgufCommand() {}

    /** The command with its own commands. */
    static CommandLine create(Streams streams) {
        return new CommandLine(new GgufCommand())
                .addSubcommand(new GgufDumpCommand(streams))
                .addSubcommand(new GgufValidateCommand(streams))
                .addSubcommand(new GgufSetCommand(streams))
                .addSubcommand(new GgufSplitCommand(streams))
                .addSubcommand(new GgufMergeCommand(streams))
                .addSubcommand(new GgufStackExpertsCommand(streams))
                .addSubcommand(new GgufDiffCommand(streams))
                .addSubcommand(new GgufHashCommand(streams));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }
}
