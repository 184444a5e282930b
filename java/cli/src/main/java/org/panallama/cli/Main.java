package org.panallama.cli;

/** Entry point of the {@code panallama} program. */
public final class Main {

    private Main() {}

    public static void main(String[] args) {
        // Read by slf4j-simple when the first logger is made; -v raises the level of ours before that.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
        System.setProperty("org.slf4j.simpleLogger.showShortLogName", "true");
        Streams streams = Streams.standard();
        streams.signals().handle();
        int status = new Program(streams).run(args);
        System.exit(streams.signals().status(status));
    }
}
