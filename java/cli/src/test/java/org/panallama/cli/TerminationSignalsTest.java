package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

/** Signals that come at any moment of a command. */
class TerminationSignalsTest {

    private static final int INT = 2;
    private static final int TERM = 15;

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<Integer> exits = new ArrayList<>();
    private final TerminationSignals signals =
            new TerminationSignals(new PrintStream(err, true, StandardCharsets.UTF_8), exits::add);

    @Test
    void withoutWorkTheProcessEndsAndNoWorkBegins() {
        signals.receive(INT);
        assertThat(exits).containsExactly(130);
        assertThatThrownBy(() -> new Interruption(signals)).isInstanceOf(CancellationException.class);
        assertThat(signals.status(1)).isEqualTo(130);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("panallama: interrupted\n");
    }

    @Test
    void workThatStopsEndsTheProcessByItself() {
        List<Integer> statuses = new ArrayList<>();
        try (Interruption work = new Interruption(signals)) {
            work.cancels(() -> {
                signals.receive(TERM);
                statuses.add(signals.status(0));
            });
            signals.receive(INT);
            assertThat(work.requested()).isTrue();
        }
        assertThat(statuses).containsExactly(130);
        assertThat(exits).isEmpty();
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("panallama: interrupted\n");
    }

    @Test
    void workThatDoesNotStopIsGivenUp() {
        try (Interruption work = new Interruption(signals, 0)) {
            signals.receive(TERM);
            assertThat(work.requested()).isTrue();
        }
        assertThat(exits).containsExactly(143);
        assertThat(err.toString(StandardCharsets.UTF_8))
                .isEqualTo("panallama: gave up waiting for the work to stop\npanallama: interrupted\n");
    }

    @Test
    void afterItsEndACommandIsNotInterrupted() {
        assertThat(signals.status(1)).isEqualTo(1);
        signals.receive(INT);
        assertThat(exits).isEmpty();
        assertThat(err.size()).isZero();
    }

    @Test
    void anEndInGoodOrderIsNotCalledInterrupted() {
        try (Interruption work = new Interruption(signals)) {
            work.cancels(() -> {
                work.heeded();
                signals.status(0);
            });
            signals.receive(TERM);
        }
        assertThat(signals.status(0)).isEqualTo(143);
        assertThat(err.size()).isZero();
    }
}
