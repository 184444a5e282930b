package org.panallama.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * What a command reads and writes. Text is UTF-8 everywhere, whatever the locale: under {@code LANG=C} the JDK's own streams
 * would turn a Chinese answer into question marks.
 *
 * @param in the input
 * @param out the result, and nothing else
 * @param err progress, timings, errors
 */
record Streams(InputStream in, Output out, PrintStream err) {

    static Streams of(InputStream in, OutputStream out, OutputStream err) {
        return new Streams(in, new Output(out), new PrintStream(err, true, StandardCharsets.UTF_8));
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
