package org.panallama.internal;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.LogSink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Routes llama.cpp's log to slf4j, whole lines at a time, and keeps the last lines of an operation for its error message.
 *
 * <p>llama.cpp calls INFO what a library calls DEBUG (a page of text for each model), so levels move down by one below WARN.
 */
public final class LogRouter implements LogSink {

    private static final Logger LLAMA = LoggerFactory.getLogger("org.panallama.llama");
    private static final int DEBUG = 1;
    private static final int INFO = 2;
    private static final int WARN = 3;
    private static final int ERROR = 4;
    private static final int CONTINUED = 5;
    private static final int KEPT_LINES = 12;

    private static final Pattern CPU_BACKEND = Pattern.compile("loaded CPU backend from .*ggml-cpu-?([^/\\\\.]*)\\.");

    /** Written once, at load, where PANALLAMA_MEASURE_PEAK asks for it. */
    private static final Pattern MULTIPLY_ADDS =
            Pattern.compile("^panallama: \\S+ can do (\\S+) multiply-adds a second");

    private final ThreadLocal<Line> lines = ThreadLocal.withInitial(Line::new);
    private volatile String cpuVariant = "unknown";
    private volatile double multiplyAdds = Double.NaN;

    /** The text of a thread's unfinished line, and what it keeps for an operation under way. */
    private static final class Line {
        private final StringBuilder text = new StringBuilder();
        private int level;
        private @Nullable Deque<String> kept;
        private @Nullable Consumer<String> listener;
    }

    /**
     * Runs an operation; lines of level WARN and ERROR that this thread logs meanwhile are kept, and logged at DEBUG only,
     * since the caller puts them into its error.
     *
     * @param result receives the lines that were kept, oldest first
     */
    public <T> T keeping(Deque<String> result, Supplier<T> operation) {
        Deque<String> outer = keep(result);
        try {
            return operation.get();
        } finally {
            keep(outer);
        }
    }

    /** The two halves of {@link #keeping} without a closure: sets this thread's receiver and returns the previous one. */
    public @Nullable Deque<String> keep(@Nullable Deque<String> receiver) {
        Line line = lines.get();
        Deque<String> previous = line.kept;
        line.kept = receiver;
        return previous;
    }

    /**
     * Runs an operation, and hands the whole lines that this thread logs meanwhile, whatever their level, to a listener, which
     * must not throw. They are logged at DEBUG only.
     */
    public <T> T listening(Consumer<String> listener, Supplier<T> operation) {
        Line line = lines.get();
        Consumer<String> outer = line.listener;
        line.listener = listener;
        try {
            return operation.get();
        } finally {
            line.listener = outer;
        }
    }

    /** An empty receiver for {@link #keeping}. */
    public static Deque<String> newKeeper() {
        return new ArrayDeque<>(KEPT_LINES);
    }

    /** Lines kept, as the end of an error message: empty, or a sentence. */
    public static String explain(Deque<String> kept) {
        return kept.isEmpty() ? "" : " llama.cpp says: " + String.join(" | ", kept);
    }

    @Override
    public void log(int level, String text) {
        Line line = lines.get();
        if (level != CONTINUED) {
            if (line.text.length() > 0) {
                emit(line);
            }
            line.level = level;
        }
        int from = 0;
        for (int feed = text.indexOf('\n'); feed >= 0; feed = text.indexOf('\n', from)) {
            line.text.append(text, from, feed);
            emit(line);
            from = feed + 1;
        }
        line.text.append(text, from, text.length());
    }

    /** The CPU variant that llama.cpp's log named when it loaded its backends; no other call tells. */
    String cpuVariant() {
        return cpuVariant;
    }

    /**
     * The multiply-adds of bytes a second that Panallama's CPU variant measured when it was loaded with {@code
     * PANALLAMA_MEASURE_PEAK} set to a number of threads; not a number without.
     */
    public double multiplyAdds() {
        return multiplyAdds;
    }

    private void emit(Line line) {
        String text = line.text.toString().stripTrailing();
        line.text.setLength(0);
        Matcher backend = CPU_BACKEND.matcher(text);
        if (backend.find()) {
            cpuVariant = backend.group(1);
        }
        Matcher peak = MULTIPLY_ADDS.matcher(text);
        if (peak.find()) {
            multiplyAdds = Double.parseDouble(peak.group(1));
        }
        if (text.isEmpty() || isProgressDots(text)) {
            return;
        }
        Consumer<String> listener = line.listener;
        if (listener != null) {
            listener.accept(text);
        }
        Deque<String> kept = line.kept;
        if (kept != null && line.level >= WARN) {
            if (kept.size() == KEPT_LINES) {
                kept.removeFirst();
            }
            kept.addLast(text.strip());
            LLAMA.debug(text);
            return;
        }
        if (listener != null) {
            LLAMA.debug(text);
            return;
        }
        switch (line.level) {
            case DEBUG -> LLAMA.trace(text);
            case INFO -> LLAMA.debug(text);
            case WARN -> LLAMA.warn(text);
            case ERROR -> LLAMA.error(text);
            default -> LLAMA.debug(text);
        }
    }

    private static boolean isProgressDots(String text) {
        return text.chars().allMatch(c -> c == '.');
    }
}
