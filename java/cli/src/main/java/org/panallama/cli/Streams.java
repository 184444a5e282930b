package org.panallama.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * What a command reads and writes, and what interrupts it. Text is UTF-8 everywhere, whatever the locale: under {@code LANG=C}
 * the JDK's own streams would turn a Chinese answer into question marks.
 *
 * @param in the input
 * @param out the result, and nothing else
 * @param err progress, timings, errors
 * @param signals what asks the process to end; nothing does until they are handled
 */
record Streams(InputStream in, Output out, PrintStream err, TerminationSignals signals) {

    static Streams of(InputStream in, OutputStream out, OutputStream err) {
        PrintStream printed = new PrintStream(err, true, StandardCharsets.UTF_8);
        return new Streams(in, new Output(out), printed, new TerminationSignals(printed, System::exit));
    }

    /** Those of the process. */
    static Streams standard() {
        return of(System.in, new FileOutputStream(FileDescriptor.out), new FileOutputStream(FileDescriptor.err));
    }

    /** Whether the input is the process's own, which may be a terminal. */
    boolean isProcess() {
        return in == System.in;
    }
}
