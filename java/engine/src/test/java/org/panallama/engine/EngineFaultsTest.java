package org.panallama.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.Candidates;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.CustomSampler;
import org.panallama.FinishReason;
import org.panallama.GrammarException;
import org.panallama.LlamaException;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.tiny.TinyModel;

/** What goes wrong, and what must not go wrong with it. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // nothing here waits interruptibly
class EngineFaultsTest {

    private static Model model;

    @BeforeAll
    static void load() {
        model = Model.load(TinyModel.path());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Context context(Model of, int parallel, int length) {
        return of.newContext(options(parallel, length).build());
    }

    private static ContextOptions.Builder options(int parallel, int length) {
        return ContextOptions.builder()
                .sequences(parallel)
                .sharedCache(true)
                .length(length)
                .threads(1)
                .batchThreads(1);
    }

    private static EngineRequest.Builder request(String prompt, int tokens) {
        return request(prompt, tokens, Sampler.greedy());
    }

    private static EngineRequest.Builder request(String prompt, int tokens, Sampler sampler) {
        return EngineRequest.builder(model.vocab().tokenize(prompt), sampler)
                .maxTokens(tokens)
                .ignoreEndOfGeneration(true);
    }

    private static int[] randomTokens(int length, int seed) {
        Random random = new Random(seed);
        return random.ints(length, 300, 4000).toArray();
    }

    @Test
    void requestsThatDoNotFitTogetherAllEnd() {
        // No two have a common beginning, and each prompt is computed in one step: what gives its place back can only
        // come again
        // when another one has left.
        try (Engine engine = Engine.builder(context(model, 8, 256)).build()) {
            List<Completion> running = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                running.add(engine.submit(EngineRequest.builder(randomTokens(40, i), Sampler.greedy())
                        .maxTokens(30)
                        .ignoreEndOfGeneration(true)
                        .build()));
            }
            for (Completion completion : running) {
                assertThat(completion.join().finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
                assertThat(completion.join().tokens()).hasSize(30);
            }
            EngineStats stats = engine.stats();
            assertThat(stats.running() + stats.waiting()).isZero();
        }
    }

    @Test
    void aSamplersStateSurvivesThatItsRequestHasToMakeRoom() {
        String alphabet = "abcdefghijklmnopqrstuvwxyz";
        try (Engine engine = Engine.builder(context(model, 8, 256)).chunk(64).build()) {
            Map<Completion, String> running = new LinkedHashMap<>();
            for (int i = 0; i < 12; i++) {
                String letters = alphabet.substring(i) + alphabet.substring(0, i);
                // A letter a token: 40 of the prompt and 26 of the answer, in room for four.
                String grammar =
                        "root ::= " + letters.replaceAll("(.)", "\"$1\" ").trim();
                EngineRequest request = EngineRequest.builder(
                                randomTokens(40, i),
                                Sampler.builder()
                                        .temperature(0)
                                        .grammar(grammar)
                                        .custom(candidates -> onlyShort(candidates))
                                        .build())
                        .build();
                running.put(engine.submit(request), letters);
            }
            running.forEach((completion, letters) ->
                    assertThat(completion.join().text().trim()).isEqualTo(letters));
        }
    }

    /** Leaves the tokens as they are: it is there to have its state copied about, too. */
    private static void onlyShort(Candidates candidates) {
        assertThat(candidates.size()).isPositive();
    }

    @Test
    void everyPromptComesOnThoughAStepHasNoRoomForAll() {
        try (Engine engine = Engine.builder(context(model, 6, 512)).chunk(1).build()) {
            List<Completion> running = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                running.add(engine.submit(EngineRequest.builder(randomTokens(10 + i, i), Sampler.greedy())
                        .maxTokens(4)
                        .build()));
            }
            running.forEach(completion -> assertThat(completion.join().tokens()).isNotEmpty());
        }
    }

    @Test
    void adaptersTakeTurnsAndAClosedOneFailsItsOwnRequestsOnly(@TempDir Path folder) throws IOException {
        String prompt = "[INST] 背诵李白的静夜思。 [/INST]";
        LoraAdapter one = model.loadLora(SmallLora.write(TinyModel.path(), folder.resolve("one.gguf"), 1));
        LoraAdapter two = model.loadLora(SmallLora.write(TinyModel.path(), folder.resolve("two.gguf"), 2));
        try (Engine engine = Engine.builder(context(model, 6, 1024)).build()) {
            List<Map<LoraAdapter, Float>> sets = List.of(Map.of(), Map.of(one, 1f), Map.of(two, 1f));
            List<String> alone = new ArrayList<>();
            for (Map<LoraAdapter, Float> set : sets) {
                alone.add(engine.submit(request(prompt, 20).lora(set).build())
                        .join()
                        .text());
            }
            assertThat(alone).doesNotHaveDuplicates();
            List<Completion> together = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                together.add(engine.submit(
                        request(prompt, 20).lora(sets.get(i % sets.size())).build()));
            }
            for (int i = 0; i < together.size(); i++) {
                assertThat(together.get(i).join().text()).isEqualTo(alone.get(i % sets.size()));
            }

            Completion endless = engine.submit(request(prompt, 400).build());
            endless.iterator().next();
            two.close();
            Completion refused =
                    engine.submit(request(prompt, 20).lora(Map.of(two, 0.5f)).build());
            Completion other =
                    engine.submit(request(prompt, 20).lora(Map.of(one, 1f)).build());
            assertThatThrownBy(refused::join).isInstanceOf(IllegalStateException.class);
            assertThat(other.join().text()).isEqualTo(alone.get(1));
            assertThat(endless.join().tokens()).hasSize(400);
        }
    }

    @Test
    void aSamplerThatThrowsFailsItsOwnRequestOnly() {
        CustomSampler broken = new CustomSampler() {
            private int calls;

            @Override
            public void apply(Candidates candidates) {
                if (++calls == 3) {
                    throw new UnsupportedOperationException("the third token");
                }
            }
        };
        try (Engine engine = Engine.builder(context(model, 3, 512)).lookup(4).build()) {
            // 30 tokens without a near tie, see Soak: the batches that they are computed in are others each time.
            Completion other = engine.submit(request("一二三四一二三四一二", 30).build());
            Completion failing = engine.submit(
                    request("一二三四一二三四一二", 60, Sampler.builder().custom(broken).build())
                            .build());
            assertThatThrownBy(failing::join)
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessage("the third token");
            assertThat(failing.iterator().hasNext()).isTrue(); // what came before
            assertThat(other.join().tokens()).hasSize(30);
            assertThat(engine.submit(request("一二三四一二三四一二", 30).build()).join().text())
                    .isEqualTo(other.join().text());
        }
    }

    @Test
    void guessesHeedGrammarsAndStopStrings() {
        String prompt = "[INST] 1212121212121212 [/INST] 12121212";
        String grammar = "root ::= [12]+ \"3\" [12]+";
        try (Engine plain = Engine.builder(context(model, 1, 512)).build();
                Engine guessing =
                        Engine.builder(context(model, 1, 512)).lookup(8).build()) {
            List<Result> results = new ArrayList<>();
            for (Engine engine : List.of(plain, guessing)) {
                results.add(
                        engine.submit(request(prompt, 40, grammatical(grammar)).build())
                                .join());
                results.add(engine.submit(request(prompt, 40, grammatical("root ::= [12]+"))
                                .stop(List.of("2121"))
                                .build())
                        .join());
                // What was guessed behind the stop string is gone: the next turn is computed right.
                results.add(engine.submit(request(prompt + "1 2", 20).build()).join());
            }
            for (int i = 0; i < 3; i++) {
                assertThat(results.get(i + 3).text()).isEqualTo(results.get(i).text());
                assertThat(results.get(i + 3).finishReason())
                        .isEqualTo(results.get(i).finishReason());
            }
            assertThat(guessing.stats().acceptedTokens()).isPositive();
        }
    }

    private static Sampler grammatical(String grammar) {
        return Sampler.builder().temperature(0).grammar(grammar).build();
    }

    @Test
    void aContextIsUsedToItsLastToken() {
        try (Engine engine = Engine.builder(context(model, 1, 256)).lookup(8).build()) {
            int length = engine.sequenceLength();
            for (int left = 0; left < 3; left++) {
                Result result = engine.submit(EngineRequest.builder(randomTokens(length - left, left), Sampler.greedy())
                                .ignoreEndOfGeneration(true)
                                .build())
                        .join();
                assertThat(result.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
                assertThat(result.tokens()).hasSize(left + 1);
            }
        }
    }

    @Test
    void anExecutorThatRefusesHoldsNothingUp() throws Exception {
        Executor refusing = task -> {
            throw new RejectedExecutionException("closed");
        };
        try (Engine engine =
                Engine.builder(context(model, 1, 256)).executor(refusing).build()) {
            for (int i = 0; i < 2; i++) {
                Completion completion = engine.submit(request("一二三", 5).build());
                assertThat(completion.future().get(5, TimeUnit.MINUTES).tokens())
                        .hasSize(5);
            }
        }
    }

    @Test
    void itsOwnThreadCannotCloseIt() {
        try (Engine engine =
                Engine.builder(context(model, 1, 256)).executor(Runnable::run).build()) {
            CompletableFuture<Void> closing = atItsEnd(engine, own -> {
                own.close();
                return null;
            });
            assertThatThrownBy(() -> closing.get(5, TimeUnit.MINUTES)).hasCauseInstanceOf(IllegalStateException.class);
            CompletableFuture<Boolean> draining = atItsEnd(engine, own -> {
                try {
                    return own.drain(Duration.ofDays(1));
                } catch (InterruptedException e) {
                    return false;
                }
            });
            assertThatThrownBy(() -> draining.get(5, TimeUnit.MINUTES)).hasCauseInstanceOf(IllegalStateException.class);
            // A callback on the engine's thread may submit.
            CompletableFuture<Completion> next =
                    atItsEnd(engine, own -> own.submit(request("一二三", 3).build()));
            assertThat(next.join().join().tokens()).hasSize(3);
        }
    }

    @Test
    void aRequestIsRefusedOnlyIfNoSlotIsFreeAndTheQueueIsFull() {
        try (Engine engine = Engine.builder(context(model, 2, 512))
                .queue(3)
                .executor(Runnable::run)
                .build()) {
            // Both slots are free, and the engine's thread, which would move requests into them, is this one.
            List<Completion> taken =
                    atItsEnd(engine, own -> asManyAsAreTaken(own, 2 + 3)).join();
            taken.forEach(completion -> assertThat(completion.join().tokens()).hasSize(3));
        }
    }

    /** However a request ends, another one is taken in its place, and not two. */
    @Test
    void everyRequestGivesItsPlaceBack() {
        try (Engine engine = Engine.builder(context(model, 1, Pace.ENDLESS))
                .queue(1)
                .executor(Runnable::run)
                .build()) {
            Completion running = endless(engine);
            Completion waiting = engine.submit(request("一二三", 3).build());
            waiting.cancel();
            waiting.join();
            running.cancel();
            running.join();
            engine.submit(request("一二三", 0).build()).join();
            engine.submit(request("一二三", 3).deadline(Duration.ofNanos(1)).build())
                    .join();
            Completion malformed =
                    engine.submit(request("一二三", 3, grammatical("root ::= (")).build());
            assertThatThrownBy(malformed::join).isInstanceOf(GrammarException.class);
            Completion stuck = engine.submit(
                    request("一二三", 3, Sampler.builder().custom(failing()).build())
                            .build());
            assertThatThrownBy(stuck::join).hasMessage("failed");
            atItsEnd(engine, own -> asManyAsAreTaken(own, 1 + 1)).join();
        }
    }

    private static CustomSampler failing() {
        return candidates -> {
            throw new UnsupportedOperationException("failed");
        };
    }

    /** Submits a number of requests, of which none is refused, and one more, which is. */
    private static List<Completion> asManyAsAreTaken(Engine engine, int number) {
        List<Completion> taken = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            taken.add(engine.submit(request("一二三", 3).build()));
        }
        assertThatThrownBy(() -> engine.submit(request("一二三", 3).build())).isInstanceOf(QueueFullException.class);
        return taken;
    }

    /** Calls back when an answer has ended; not on this thread, as it would if the answer had ended before. */
    private static <T> CompletableFuture<T> atItsEnd(Engine engine, Function<Engine, T> callback) {
        CountDownLatch registered = new CountDownLatch(1);
        CompletableFuture<T> outcome = engine.submit(
                        request("一二三", 20, Pace.heldBy(registered)).build())
                .future()
                .thenApply(result -> callback.apply(engine));
        registered.countDown();
        return outcome;
    }

    @Test
    void aTimeCanBeAsLongAsOneLikes() throws Exception {
        Engine engine = Engine.builder(context(model, 1, 256)).build();
        Duration forever = ChronoUnit.FOREVER.getDuration();
        EngineRequest request = request("一二三", 5).deadline(forever).build();
        assertThat(engine.submit(request, forever).join().tokens()).hasSize(5);
        assertThat(engine.drain(forever)).isTrue();
    }

    @Test
    void aRequestIsForOneUseUnlessItWasRefused() {
        try (Engine engine =
                Engine.builder(context(model, 1, Pace.ENDLESS)).queue(1).build()) {
            Completion running = endless(engine);
            Completion waiting = engine.submit(request("一二三", 5).build());
            EngineRequest request = request("一二三", 5).build();
            assertThatThrownBy(() -> engine.submit(request)).isInstanceOf(QueueFullException.class);
            waiting.cancel();
            assertThat(waiting.join().finishReason()).isEqualTo(FinishReason.CANCELLED);
            Completion second = engine.submit(request);
            assertThatThrownBy(() -> engine.submit(request))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("submitted before");
            running.cancel();
            assertThat(second.join().tokens()).hasSize(5);
        }
    }

    /** A request that is still running when its test is done with it, if its engine has a context of {@link Pace#ENDLESS}. */
    private static Completion endless(Engine engine) {
        Completion running =
                engine.submit(request("一二三", Pace.ENDLESS, Pace.slow()).build());
        running.iterator().next();
        return running;
    }

    @Test
    void whoWaitsForAPlaceIsWokenWhenOneThatWaitedIsCancelled() throws Exception {
        try (Engine engine =
                Engine.builder(context(model, 1, Pace.ENDLESS)).queue(1).build()) {
            Completion running = endless(engine);
            Completion waiting = engine.submit(request("一二三", 5).build());
            CompletableFuture<Completion> patient = patient(engine);
            waiting.cancel();
            Completion taken = patient.get(5, TimeUnit.MINUTES);
            assertThat(running.isDone()).isFalse();
            running.cancel();
            assertThat(taken.join().tokens()).hasSize(5);
        }
    }

    @Test
    void whoWaitsForAPlaceIsToldThatTheEngineCloses() throws Exception {
        Engine engine = Engine.builder(context(model, 1, Pace.ENDLESS)).queue(1).build();
        Completion running = endless(engine);
        Completion waiting = engine.submit(request("一二三", 5).build());
        CompletableFuture<Completion> told = patient(engine);
        engine.close();
        assertThatThrownBy(() -> told.get(5, TimeUnit.MINUTES)).hasCauseInstanceOf(IllegalStateException.class);
        assertThat(running.join().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(waiting.join().finishReason()).isEqualTo(FinishReason.CANCELLED);
    }

    /** What comes of a thread that waits for a place in an engine's full queue: it waits when this returns. */
    private static CompletableFuture<Completion> patient(Engine engine) throws InterruptedException {
        CompletableFuture<Completion> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                outcome.complete(engine.submit(request("一二三", 5).build(), Duration.ofDays(1)));
            } catch (InterruptedException | RuntimeException e) {
                outcome.completeExceptionally(e);
            }
        });
        thread.start();
        while (!outcome.isDone() && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
        return outcome;
    }

    @RepeatedTest(8) // the closing may meet it anywhere in a step
    void nobodyWaitsForAnEngineWhoseModelIsClosed() {
        Model own = Model.load(TinyModel.path());
        Engine engine = Engine.builder(context(own, 2, 256)).build();
        List<Completion> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            all.add(engine.submit(EngineRequest.builder(randomTokens(20, i), Sampler.greedy())
                    .maxTokens(200)
                    .ignoreEndOfGeneration(true)
                    .build()));
        }
        all.get(0).iterator().next();
        own.close();
        for (Completion completion : all) {
            assertThatThrownBy(completion::join)
                    .isInstanceOfAny(IllegalStateException.class, LlamaException.class)
                    .hasMessageContaining("closed");
        }
        all.forEach(completion ->
                completion.future().handle((result, thrown) -> null).join());
        assertThatThrownBy(() -> engine.submit(
                        EngineRequest.builder(new int[] {1}, Sampler.greedy()).build()))
                .isInstanceOf(IllegalStateException.class);
        engine.close();
    }

    @Test
    void aBatchWithRoomForOneTokenOfEachSequenceIsEnough() {
        try (Engine engine = Engine.builder(
                        model.newContext(options(4, 256).batch(4).microBatch(4).build()))
                .lookup(4)
                .build()) {
            List<Completion> running = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                running.add(engine.submit(request("一二三四五六七", 12).build()));
            }
            running.forEach(completion -> assertThat(completion.join().tokens()).hasSize(12));
        }
    }
}
