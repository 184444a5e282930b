package org.panallama.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.panallama.Context;
import org.panallama.ContextFullException;
import org.panallama.ContextOptions;
import org.panallama.FinishReason;
import org.panallama.GenerationOptions;
import org.panallama.GrammarException;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.tiny.TinyModel;

@Timeout(300)
class EngineTest {

    private static final int ANSWER = 24;
    private static final List<String> PROMPTS = List.of(
            "[INST] 法国的英文名是什么？ [/INST]",
            "[INST] 德国的代码是什么？ [/INST]",
            "[INST] 日本的英文名是什么？ [/INST]",
            "[INST] 23+45等于多少？ [/INST]",
            "[INST] 背诵李白的静夜思。 [/INST]",
            "[INST] 资料：张三的电话是3817。李四的电话是552。\n问题：李四的电话是多少？ [/INST]");

    private static Model model;
    private static final Map<String, String> ALONE = new HashMap<>();

    @BeforeAll
    static void answersOneByOne() {
        model = Model.load(TinyModel.path());
        GenerationOptions options =
                GenerationOptions.builder().maxTokens(ANSWER).build();
        try (Context context = model.newContext(ContextOptions.builder()
                        .length(512)
                        .threads(1)
                        .batchThreads(1)
                        .build());
                Sampler sampler = Sampler.greedy()) {
            for (String prompt : PROMPTS) {
                ALONE.put(prompt, context.generate(prompt, sampler, options).text());
            }
        }
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Context context(int parallel, int length) {
        return model.newContext(ContextOptions.builder()
                .sequences(parallel)
                .sharedCache(true)
                .length(length)
                .threads(1)
                .batchThreads(1)
                .build());
    }

    private static EngineRequest.Builder request(String prompt) {
        return EngineRequest.builder(model.vocab().tokenize(prompt), Sampler.greedy())
                .maxTokens(ANSWER);
    }

    /** A request that is still running when its test is done with it, if its engine has a context of {@link Pace#ENDLESS}. */
    private static Completion endless(Engine engine, String prompt) {
        return engine.submit(EngineRequest.builder(model.vocab().tokenize(prompt), Pace.slow())
                .maxTokens(Pace.ENDLESS)
                .ignoreEndOfGeneration(true)
                .build());
    }

    @Test
    void manyRequestsGiveWhatEachGivesAlone() {
        try (Engine engine = Engine.builder(context(4, 1024)).chunk(16).build()) {
            Random random = new Random(5);
            Map<Completion, String> running = new HashMap<>();
            for (int i = 0; i < 40; i++) {
                String prompt = PROMPTS.get(random.nextInt(PROMPTS.size()));
                running.put(engine.submit(request(prompt).build()), prompt);
            }
            running.forEach((completion, prompt) ->
                    assertThat(completion.join().text()).as(prompt).isEqualTo(ALONE.get(prompt)));
            EngineStats stats = engine.stats();
            assertThat(stats.running()).isZero();
            assertThat(stats.waiting()).isZero();
            assertThat(stats.reusedTokens()).isPositive();
            assertThat(stats.steps()).isLessThan(stats.generatedTokens()); // they were computed together
        }
    }

    @Test
    void survivorsOfCancelledRequestsAreUntouched() {
        try (Engine engine = Engine.builder(context(5, 1024)).chunk(8).build()) {
            Random random = new Random(9);
            Map<Completion, String> kept = new HashMap<>();
            List<Completion> dropped = new ArrayList<>();
            for (int i = 0; i < 45; i++) {
                String prompt = PROMPTS.get(random.nextInt(PROMPTS.size()));
                Completion completion = engine.submit(request(prompt).build());
                if (i % 3 == 0) {
                    dropped.add(completion);
                    CompletableFuture.runAsync(
                            completion::cancel,
                            CompletableFuture.delayedExecutor(random.nextInt(300), TimeUnit.MILLISECONDS));
                } else {
                    kept.put(completion, prompt);
                }
            }
            kept.forEach((completion, prompt) ->
                    assertThat(completion.join().text()).as(prompt).isEqualTo(ALONE.get(prompt)));
            for (Completion completion : dropped) {
                Result result = completion.join();
                assertThat(result.finishReason() == FinishReason.CANCELLED || ALONE.containsValue(result.text()))
                        .isTrue();
            }
        }
    }

    @Test
    void aPromptBeginsWhereAnEarlierOneDid() {
        try (Engine engine = Engine.builder(context(2, 512)).build()) {
            Result first = engine.submit(request(PROMPTS.get(5)).build()).join();
            Result again = engine.submit(request(PROMPTS.get(5)).build()).join();
            int length = first.usage().promptTokens();
            assertThat(first.usage().reusedTokens()).isZero();
            assertThat(again.usage().reusedTokens()).isEqualTo(length - 1);
            assertThat(again.text()).isEqualTo(first.text());

            // The next turn of the conversation.
            String turn = PROMPTS.get(5) + first.text() + "</s> [INST] 张三呢？ [/INST]";
            Result next = engine.submit(request(turn).build()).join();
            assertThat(next.usage().reusedTokens()).isGreaterThanOrEqualTo(length);
        }
    }

    @Test
    void aRunningRequestsBeginningIsShared() {
        try (Engine engine = Engine.builder(context(3, Pace.ENDLESS)).build()) {
            Completion running = endless(engine, PROMPTS.get(5));
            running.iterator().next(); // its prompt is computed
            Result other = engine.submit(request(PROMPTS.get(5)).build()).join();
            assertThat(other.usage().reusedTokens()).isEqualTo(other.usage().promptTokens() - 1);
            assertThat(other.text()).isEqualTo(ALONE.get(PROMPTS.get(5)));
            running.cancel();
            assertThat(running.join().finishReason()).isEqualTo(FinishReason.CANCELLED);
        }
    }

    @Test
    void aShortPromptIsNotHeldUpByALongOne() {
        int[] filler = new int[900];
        Random random = new Random(1);
        for (int i = 0; i < filler.length; i++) {
            filler[i] = 300 + random.nextInt(4000);
        }
        CountDownLatch submitted = new CountDownLatch(1);
        try (Engine engine = Engine.builder(context(3, 1024))
                .chunk(32)
                .executor(Runnable::run)
                .build()) {
            engine.submit(EngineRequest.builder(new int[] {1}, Pace.heldBy(submitted))
                    .maxTokens(1)
                    .build());
            Completion slow = engine.submit(
                    EngineRequest.builder(filler, Sampler.greedy()).maxTokens(4).build());
            Completion quick = engine.submit(request(PROMPTS.get(0)).build());
            // Looked at by the engine's thread, when the short one ends: 28 steps of prompt, of which that took a few.
            CompletableFuture<Boolean> slowIsDone = quick.future().thenApply(result -> slow.isDone());
            submitted.countDown();
            assertThat(slowIsDone.join()).isFalse();
            assertThat(quick.join().text()).isEqualTo(ALONE.get(PROMPTS.get(0)));
            slow.cancel();
        }
    }

    @Test
    void whatDoesNotFitTogetherIsComputedInTurn() {
        // Eight conversations of up to 60 tokens in room for four of them.
        try (Engine engine = Engine.builder(context(8, 256)).chunk(32).build()) {
            Map<Completion, String> running = new HashMap<>();
            for (int i = 0; i < 24; i++) {
                String prompt = PROMPTS.get(i % PROMPTS.size());
                running.put(engine.submit(request(prompt).build()), prompt);
            }
            running.forEach((completion, prompt) ->
                    assertThat(completion.join().text()).as(prompt).isEqualTo(ALONE.get(prompt)));
        }
    }

    @Test
    void guessesDoNotChangeTheAnswers() {
        String quoting = "[INST] 张三的电话是3817。张三的电话是3817。张三的电话是 [/INST] 张三的电话是3817。张三的电话是";
        List<String> prompts = new ArrayList<>(PROMPTS);
        prompts.add(quoting);
        try (Engine plain = Engine.builder(context(2, 1024)).build();
                Engine lookup = Engine.builder(context(2, 1024)).lookup(6).build();
                Engine drafted = Engine.builder(context(2, 1024))
                        .draft(context(2, 1024), 4, 0.3)
                        .build()) {
            for (String prompt : prompts) {
                String expected = plain.submit(request(prompt).maxTokens(60).build())
                        .join()
                        .text();
                Result looked =
                        lookup.submit(request(prompt).maxTokens(60).build()).join();
                Result guessed =
                        drafted.submit(request(prompt).maxTokens(60).build()).join();
                assertThat(looked.text()).isEqualTo(expected);
                assertThat(guessed.text()).isEqualTo(expected);
            }
            assertThat(drafted.stats().acceptedTokens()).isPositive();
            assertThat(drafted.stats().steps()).isLessThan(plain.stats().steps());
            assertThat(lookup.stats().draftedTokens()).isPositive();
        }
    }

    @Test
    void guessesDoNotChangeRandomAnswers() {
        try (Engine plain = Engine.builder(context(1, 512)).build();
                Engine drafted = Engine.builder(context(1, 512))
                        .draft(context(1, 512), 4, 0)
                        .build()) {
            for (int seed = 0; seed < 6; seed++) {
                int[] prompt = model.vocab().tokenize(PROMPTS.get(4));
                Sampler one = Sampler.builder().temperature(1).seed(seed).build();
                Sampler two = Sampler.builder().temperature(1).seed(seed).build();
                assertThat(drafted.submit(EngineRequest.builder(prompt, two)
                                        .maxTokens(40)
                                        .build())
                                .join()
                                .tokens())
                        .isEqualTo(plain.submit(EngineRequest.builder(prompt, one)
                                        .maxTokens(40)
                                        .build())
                                .join()
                                .tokens());
            }
        }
    }

    @Test
    void eachRequestHasItsOwnSamplerAndGrammar() {
        try (Engine engine = Engine.builder(context(3, 512)).build()) {
            int[] prompt = model.vocab().tokenize(PROMPTS.get(0));
            Completion free = engine.submit(request(PROMPTS.get(0)).build());
            Completion held = engine.submit(EngineRequest.builder(
                            prompt,
                            Sampler.builder().grammar("root ::= \"no\" [a-c]").build())
                    .build());
            Completion broken = engine.submit(EngineRequest.builder(
                            prompt, Sampler.builder().grammar("root ::= (").build())
                    .build());
            assertThat(free.join().text()).isEqualTo(ALONE.get(PROMPTS.get(0)));
            assertThat(held.join().text()).matches("no[a-c]");
            assertThatThrownBy(broken::join).isInstanceOf(GrammarException.class);
            assertThat(engine.submit(request(PROMPTS.get(1)).build()).join().text())
                    .isEqualTo(ALONE.get(PROMPTS.get(1)));
        }
    }

    @Test
    void endsWhereItShould() {
        try (Engine engine = Engine.builder(context(2, 64)).build()) {
            Result stopped = engine.submit(
                            request(PROMPTS.get(0)).stop(List.of("an")).build())
                    .join();
            assertThat(stopped.finishReason()).isEqualTo(FinishReason.STOP_STRING);
            assertThat(stopped.text()).isEqualTo(" Fr");
            assertThat(engine.submit(request(PROMPTS.get(0))
                                    .stripLeadingSpace(true)
                                    .build())
                            .join()
                            .text())
                    .isEqualTo("France");
            Result cut =
                    engine.submit(request(PROMPTS.get(4)).maxTokens(3).build()).join();
            assertThat(cut.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
            assertThat(cut.tokens()).hasSize(3);
            assertThat(engine.submit(request(PROMPTS.get(4)).maxTokens(0).build())
                            .join()
                            .tokens())
                    .isEmpty();
            Result full = engine.submit(request(PROMPTS.get(4))
                            .maxTokens(1000)
                            .ignoreEndOfGeneration(true)
                            .build())
                    .join();
            assertThat(full.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
            assertThat(full.usage().promptTokens() + full.tokens().length).isEqualTo(engine.sequenceLength() + 1);
            Result late = engine.submit(request(PROMPTS.get(4))
                            .maxTokens(1000)
                            .ignoreEndOfGeneration(true)
                            .deadline(Duration.ofNanos(1))
                            .build())
                    .join();
            assertThat(late.finishReason()).isEqualTo(FinishReason.DEADLINE);
        }
    }

    @Test
    void tellsProbabilities() {
        try (Engine engine = Engine.builder(context(1, 128)).build()) {
            Result result =
                    engine.submit(request(PROMPTS.get(0)).logprobs(3).build()).join();
            assertThat(result.logprobs()).hasSize(result.tokens().length).allSatisfy(token -> {
                assertThat(token.logprob()).isBetween(-20.0, 0.0);
                assertThat(token.top()).hasSize(3);
            });
        }
    }

    @Test
    void piecesComeByIteratorFutureAndPublisher() throws Exception {
        try (Engine engine = Engine.builder(context(2, Pace.ENDLESS)).build()) {
            Completion completion = engine.submit(request(PROMPTS.get(4)).build());
            StringBuilder pieces = new StringBuilder();
            for (Piece piece : completion) {
                pieces.append(piece.text());
            }
            assertThat(pieces).hasToString(ALONE.get(PROMPTS.get(4)));
            assertThat(completion.future().get(5, TimeUnit.MINUTES).text()).isEqualTo(pieces.toString());

            ConcurrentLinkedQueue<String> published = new ConcurrentLinkedQueue<>();
            CompletableFuture<Void> end = new CompletableFuture<>();
            engine.submit(request(PROMPTS.get(4)).build()).publisher().subscribe(new Flow.Subscriber<>() {
                private Flow.Subscription subscription;

                @Override
                public void onSubscribe(Flow.Subscription given) {
                    subscription = given;
                    given.request(1);
                }

                @Override
                public void onNext(Piece piece) {
                    published.add(piece.text());
                    subscription.request(1);
                }

                @Override
                public void onError(Throwable thrown) {
                    end.completeExceptionally(thrown);
                }

                @Override
                public void onComplete() {
                    end.complete(null);
                }
            });
            end.get(5, TimeUnit.MINUTES);
            assertThat(String.join("", published)).isEqualTo(pieces.toString());

            Completion dropped = endless(engine, PROMPTS.get(4));
            dropped.future().cancel(true);
            assertThat(dropped.join().finishReason()).isEqualTo(FinishReason.CANCELLED);
        }
    }

    @Test
    void theQueueIsBounded() throws Exception {
        try (Engine engine = Engine.builder(context(1, Pace.ENDLESS)).queue(2).build()) {
            Completion running = endless(engine, PROMPTS.get(4));
            running.iterator().next();
            engine.submit(request(PROMPTS.get(0)).build());
            engine.submit(request(PROMPTS.get(0)).build());
            assertThatThrownBy(() -> engine.submit(request(PROMPTS.get(0)).build()))
                    .isInstanceOf(QueueFullException.class)
                    .hasMessageContaining("2 requests");
            CompletableFuture.runAsync(running::cancel, CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS));
            Completion patient = engine.submit(request(PROMPTS.get(0)).build(), Duration.ofMinutes(5));
            assertThat(patient.join().text()).isEqualTo(ALONE.get(PROMPTS.get(0)));
        }
    }

    @Test
    void drainsAndCloses() throws Exception {
        Engine engine = Engine.builder(context(1, 512)).build();
        Completion first = engine.submit(request(PROMPTS.get(0)).build());
        Completion second = engine.submit(request(PROMPTS.get(1)).build());
        assertThat(engine.drain(Duration.ofMinutes(5))).isTrue();
        assertThat(first.join().text()).isEqualTo(ALONE.get(PROMPTS.get(0)));
        assertThat(second.join().text()).isEqualTo(ALONE.get(PROMPTS.get(1)));
        assertThatThrownBy(() -> engine.submit(request(PROMPTS.get(0)).build()))
                .isInstanceOf(IllegalStateException.class);

        Engine closed = Engine.builder(context(1, Pace.ENDLESS)).build();
        Completion running = endless(closed, PROMPTS.get(4));
        closed.close();
        closed.close();
        assertThat(running.join().finishReason()).isEqualTo(FinishReason.CANCELLED);
    }

    @Test
    void refusesWhatCannotBe() {
        try (Engine engine = Engine.builder(context(1, 64)).build()) {
            assertThatThrownBy(() -> EngineRequest.builder(new int[0], Sampler.greedy()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> engine.submit(EngineRequest.builder(new int[300], Sampler.greedy())
                            .build()))
                    .isInstanceOf(ContextFullException.class)
                    .hasMessageContaining("300");
            assertThatThrownBy(() -> engine.submit(EngineRequest.builder(new int[] {-1}, Sampler.greedy())
                            .build()))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> request("x").deadline(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
