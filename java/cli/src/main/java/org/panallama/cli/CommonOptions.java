package org.panallama.cli;

import picocli.CommandLine.Option;

/** Options of every command. */
final class CommonOptions {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    private boolean verbose;

    /** Takes effect at once, since loggers read their level when they are made. */
    @Option(
            names = {"-v", "--verbose"},
            description = "Show llama.cpp's log on stderr, and stack traces of errors.")
    private void setVerbose(boolean on) {
        verbose = on;
        if (on) {
            System.setProperty("org.slf4j.simpleLogger.log.org.panallama", "debug");
        }
    }

    boolean verbose() {
        return verbose;
    }
}
