package org.panallama.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.panallama.Model;
import org.panallama.tiny.TinyModel;

/** The short form of {@code benchmarks/engine/soak}. */
class SoakTest {

    @Test
    @Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void clientsThatVanishLeaveNoTrace() throws InterruptedException {
        try (Model model = Model.load(TinyModel.path())) {
            Soak.Report report = Soak.run(model, Duration.ofSeconds(20), 1);
            assertThat(report.wrong()).isEmpty();
            assertThat(report.taken()).isGreaterThan(64);
            assertThat(report.vanished()).isGreaterThan(16);
            assertThat(report.exact()).isGreaterThan(report.taken() * 9 / 10);
            assertThat(report.threadsLeft()).isLessThanOrEqualTo(0);
            // What is kept must not grow with the answers: the first third has the classes and the code to load.
            assertThat(report.median(2, 3).heap())
                    .isLessThan(report.median(1, 3).heap() + 8);
            assertThat(report.median(2, 3).resident())
                    .isLessThan(report.median(1, 3).resident() + 64);
        }
    }
}
