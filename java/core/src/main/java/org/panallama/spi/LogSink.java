package org.panallama.spi;

/** Receives llama.cpp's log. Called from any thread, also native ones; must not throw. */
@FunctionalInterface
public interface LogSink {

    /**
     * @param level a {@code ggml_log_level}: 1 debug, 2 info, 3 warn, 4 error, 5 continuation of the previous line
     * @param text a piece of a line, usually ending in a line feed
     */
    void log(int level, String text);
}
