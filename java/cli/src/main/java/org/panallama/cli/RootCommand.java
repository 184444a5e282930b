package org.panallama.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program itself, which does nothing without a command. */
@Command(
        name = "panallama",
        versionProvider = ProgramVersion.class,
        synopsisSubcommandLabel = "COMMAND",
        description = "Runs GGUF models on this machine with llama.cpp.",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama generate -p \"[INST] 法国的英文名是什么？ [/INST]\" --temp 0",
            "  panallama chat -m chinese-mixtral-instruct.Q4_K.gguf",
            "",
            "Without -m, commands use a tiny model that comes with the program. 'panallama COMMAND --help' explains a command.",
            "Exit status: 0 if all went well, 1 if something failed, 2 if the command line was wrong."
        })
final class RootCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the versions of the program, llama.cpp, the binding and the JDK, and the CPU variant.")
    private boolean version;

    @Override
    public void run() {
        throw new ParameterException(new CommandLine(this), "a command is missing");
    }
}
