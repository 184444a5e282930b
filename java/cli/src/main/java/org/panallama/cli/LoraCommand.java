package org.panallama.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The commands that work on LoRA adapters. */
@Command(
        name = "lora",
        synopsisSubcommandLabel = "COMMAND",
        description = "Converts LoRA adapters that PEFT saved, and merges them into models.",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama lora convert chinese-mixtral-lora --base Mixtral-8x7B-v0.1 -o chinese-mixtral-lora.gguf",
            "  panallama lora merge --base Mixtral-8x7B-v0.1 --lora chinese-mixtral-lora -o chinese-mixtral",
            "  panallama generate -m mixtral.gguf --lora chinese-mixtral-lora.gguf -p \"...\""
        })
final class LoraCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Mixin(name = "common")
    private CommonOptions common;

    private LoraCommand() {}

    /** The command with its own commands. */
    static CommandLine create(Streams streams) {
        return new CommandLine(new LoraCommand())
                .addSubcommand(new LoraConvertCommand(streams))
                .addSubcommand(new LoraMergeCommand(streams));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }
}
