package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of life and threads that the package documentation states. */
@Tag("native")
@SuppressWarnings("try") // closes on purpose what the try statement closes again
class LifecycleTest {

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @Test
    void closingTwiceIsFine() {
        Model model = Tiny.model();
        Context context = model.newContext(Tiny.context().build());
        Sampler sampler = Sampler.greedy();
        Batch batch = Batch.tokens(4);
        context.generate(Tiny.FRANCE, sampler).text();
        for (AutoCloseable resource : List.of(batch, sampler, context, model)) {
            assertThatCode(resource::close).doesNotThrowAnyException();
            assertThatCode(resource::close).doesNotThrowAnyException();
        }
        assertThat(model.isClosed()).isTrue();
        assertThat(context.isClosed()).isTrue();
    }

    @Test
    void useAfterCloseThrows() {
        Model model = Tiny.model();
        Context context = model.newContext(Tiny.context().build());
        Sampler sampler = Sampler.greedy();
        Batch batch = Batch.tokens(4);
        context.decode(1, 2);
        sampler.sample(context, -1);
        FloatView logits = context.logits(-1);
        batch.close();
        sampler.close();
        context.close();
        assertClosed(() -> batch.add(1, 0, 0, true));
        assertClosed(() -> sampler.accept(1));
        assertClosed(sampler::copy);
        assertClosed(() -> context.decode(1));
        assertClosed(() -> context.logits(-1));
        assertClosed(() -> logits.get(0));
        assertClosed(() -> context.memory().clear());
        assertClosed(() -> context.state().toBytes());
        assertClosed(context::threads);
        context.cancel(); // harmless
        model.close();
        assertClosed(() -> model.vocab().tokenize("a"));
        assertClosed(model::description);
        assertClosed(model::newContext);
        assertThat(model.metadata()).as("is in Java").isNotEmpty();
    }

    private static void assertClosed(Runnable use) {
        assertThatThrownBy(use::run).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    @Test
    void aModelClosesItsContextsAndSamplers() {
        Model model = Tiny.model();
        Context context = model.newContext(Tiny.context().build());
        Sampler sampler = Sampler.greedy();
        Generation generation = context.generate(Tiny.POEM, sampler);
        generation.iterator().next();
        model.close();
        assertThat(context.isClosed()).isTrue();
        assertClosed(generation::text);
        assertClosed(() -> sampler.accept(1));
        context.close();
        sampler.close();
    }

    @Test
    void aContextServesOneThreadAtATime() throws Exception {
        try (Model model = Tiny.model();
                Context context = model.newContext(Tiny.context().build())) {
            CountDownLatch inside = new CountDownLatch(1);
            CountDownLatch leave = new CountDownLatch(1);
            try (Sampler blocking = Sampler.builder()
                    .custom(candidates -> {
                        inside.countDown();
                        await(leave);
                    })
                    .build()) {
                context.decode(1, 261, 262);
                Future<Integer> sampled = async(() -> blocking.sample(context, -1));
                await(inside);
                assertThatThrownBy(() -> context.decode(1))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("in use by thread")
                        .hasMessageContaining("one thread at a time");
                assertThatThrownBy(() -> blocking.accept(1)).isInstanceOf(IllegalStateException.class);
                leave.countDown();
                assertThat(sampled.get(5, TimeUnit.MINUTES)).isBetween(0, 5119);
            }
            context.decode(1);
        }
    }

    @Test
    void aContextCanBeHandedOver() throws Exception {
        try (Model model = Tiny.model();
                Context context = model.newContext(Tiny.context().build());
                Sampler sampler = Sampler.greedy()) {
            context.decode(1, 261);
            String text =
                    async(() -> context.generate(Tiny.FRANCE, sampler).text()).get(5, TimeUnit.MINUTES);
            assertThat(text).isEqualTo(" France");
        }
    }

    @Test
    void closeWaitsForTheCallInFlight() throws Exception {
        Model model = Tiny.model();
        Context context = model.newContext(Tiny.context().build());
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        Sampler blocking = Sampler.builder()
                .custom(candidates -> {
                    inside.countDown();
                    await(leave);
                })
                .build();
        context.decode(1, 261, 262);
        Future<Integer> sampled = async(() -> blocking.sample(context, -1));
        await(inside);
        CompletableFuture<Void> closed = async(() -> {
            model.close();
            return null;
        });
        // The close cannot finish; that it has begun shows in the state.
        assertTimeoutPreemptively(PATIENCE, () -> {
            while (!model.isClosed()) {
                Thread.onSpinWait();
            }
        });
        assertThat(closed).isNotDone();
        leave.countDown();
        assertThat(sampled.get(5, TimeUnit.MINUTES)).isBetween(0, 5119);
        closed.get(5, TimeUnit.MINUTES);
        assertThat(context.isClosed()).isTrue();
    }

    @Test
    void closingFromInsideACallIsRefused() {
        try (Model model = Tiny.model();
                Context context = model.newContext(Tiny.context().build());
                Sampler closing =
                        Sampler.builder().custom(candidates -> model.close()).build()) {
            context.decode(1, 261);
            assertThatThrownBy(() -> closing.sample(context, -1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("inside one of its own calls");
            assertThat(model.isClosed()).isFalse();
        }
    }

    @Test
    void cancelStopsAPromptUnderWay() throws Exception {
        try (Model model = Tiny.model();
                Context context = model.newContext(Tiny.context()
                        .length(2048)
                        .threads(1)
                        .batch(2048)
                        .microBatch(2048)
                        .build())) {
            int[] prompt = new int[2000];
            Arrays.fill(prompt, 300);
            CountDownLatch started = new CountDownLatch(1);
            CompletableFuture<Throwable> outcome = async(() -> {
                for (int round = 0; round < 200; round++) {
                    started.countDown();
                    try {
                        context.decode(prompt);
                        context.memory().clear();
                    } catch (CancellationException e) {
                        return e;
                    }
                }
                return null;
            });
            await(started);
            while (!outcome.isDone()) {
                context.cancel(); // does nothing between two computations
                Thread.onSpinWait();
            }
            assertThat(outcome.get()).isInstanceOf(CancellationException.class);
            assertThat(context.memory().maxPosition(0))
                    .as("the prompt was not computed")
                    .isLessThan(1999);

            context.memory().clear();
            try (Sampler greedy = Sampler.greedy()) {
                assertThat(context.generate(Tiny.FRANCE, greedy).text()).isEqualTo(" France");
            }
        }
    }

    @Test
    void aCancelledPromptEndsItsGeneration() throws Exception {
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        NodeObserver pause = new NodeObserver() {
            @Override
            public boolean wants(GraphNode node) {
                computing.countDown();
                await(cancelled);
                return false;
            }

            @Override
            public void computed(GraphNode node) {}
        };
        try (Model model = Tiny.model();
                Context context =
                        model.newContext(Tiny.context().observer(pause).build());
                Sampler greedy = Sampler.greedy()) {
            Generation generation = context.generate(Tiny.FRANCE, greedy);
            CompletableFuture<String> text = async(generation::text);
            await(computing);
            context.cancel();
            cancelled.countDown();
            assertThat(text.get(5, TimeUnit.MINUTES)).isEmpty();
            assertThat(generation.finishReason()).contains(FinishReason.CANCELLED);
        }
    }

    @Test
    void forgottenObjectsAreFreed() throws Exception {
        try (Model model = Tiny.model()) {
            WeakReference<Context> forgotten = forget(model);
            assertTimeoutPreemptively(PATIENCE, () -> {
                while (forgotten.get() != null) {
                    System.gc();
                    TimeUnit.MILLISECONDS.sleep(10);
                }
            });
        }
    }

    private static WeakReference<Context> forget(Model model) {
        Context context = model.newContext(Tiny.context().build());
        context.decode(1, 2, 3);
        return new WeakReference<>(context);
    }

    @Test
    void openingAndClosingManyContextsKeepsMemoryFlat() throws Exception {
        try (Model model = Tiny.model()) {
            long before = 0;
            for (int round = 0; round < 60; round++) {
                try (Context context =
                                model.newContext(Tiny.context().length(2048).build());
                        Sampler sampler = Sampler.usual()) {
                    context.decode(1, 2, 3);
                    sampler.sample(context, -1);
                }
                if (round == 20) {
                    before = residentBytes();
                }
            }
            // A context of this size is 20 MB and more: 40 leaked ones could not hide.
            assertThat(residentBytes() - before).isLessThan(200_000_000L);
        }
    }

    private static long residentBytes() throws IOException {
        String status = Files.readString(Path.of("/proc/self/statm"));
        return Long.parseLong(status.split(" ")[1]) * 4096;
    }

    /** On a thread of its own: the common pool may have one thread only, which the test blocks. */
    private static <T> CompletableFuture<T> async(Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, runnable -> new Thread(runnable, "async").start());
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(5, TimeUnit.MINUTES)) {
                throw new AssertionError("waited in vain");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
