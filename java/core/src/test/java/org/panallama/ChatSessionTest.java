package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.panallama.tiny.TinyModel;

@Tag("native")
class ChatSessionTest {

    private static final String FRANCE = "法国的英文名是什么？";
    private static final String JAPAN = "What is the Chinese name of Japan?";
    private static final String POEM = "背诵李白的《静夜思》。";
    private static final String LONG_WORDS = "资料：张三的电话是3817。李四的电话是552。\n".repeat(8);

    private static Model model;
    private Context context;
    private Sampler sampler;

    @BeforeAll
    static void load() {
        model = Model.load(TinyModel.path());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @BeforeEach
    void open() {
        context = open(512);
        sampler = Sampler.greedy();
    }

    @AfterEach
    void free() {
        sampler.close();
        context.close();
    }

    private static Context open(int length) {
        return model.newContext(
                ContextOptions.builder().length(length).threads(1).build());
    }

    private ChatSession.Builder session() {
        return ChatSession.builder(context, sampler);
    }

    @Test
    void answers() {
        ChatSession session = session().build();
        assertThat(session.send(FRANCE).text()).isEqualTo("France");
        assertThat(session.send(JAPAN).text()).isEqualTo("日本");
        assertThat(session.messages())
                .containsExactly(
                        ChatMessage.user(FRANCE),
                        ChatMessage.assistant("France"),
                        ChatMessage.user(JAPAN),
                        ChatMessage.assistant("日本"));
    }

    @Test
    void computesOnlyWhatIsNew() {
        ChatSession session = session().build();
        Generation first = session.send(FRANCE);
        first.text();
        Generation second = session.send(JAPAN);
        second.text();
        // All but the token that ended the first answer, which was chosen and not computed.
        int remembered = first.usage().promptTokens() + first.usage().generatedTokens() - 1;
        assertThat(second.usage().reusedTokens()).isEqualTo(remembered);
        assertThat(second.timings().promptTokens()).isEqualTo(second.usage().promptTokens() - remembered);
    }

    @Test
    void secondAnswerIsThatOfAFreshContextGivenTheWholeConversation() {
        ChatSession session = session().build();
        String first = session.send(FRANCE).text();
        Generation second =
                session.send(POEM, GenerationOptions.builder().maxTokens(60).build());
        second.text();
        String whole = "[INST] " + FRANCE + " [/INST]" + first + "</s>[INST] " + POEM + " [/INST]";
        try (Context fresh = open(512);
                Sampler greedy = Sampler.greedy()) {
            Generation expected = fresh.generate(
                    whole, greedy, GenerationOptions.builder().maxTokens(60).build());
            expected.text();
            assertThat(second.tokens()).isEqualTo(expected.tokens());
            assertThat(second.usage().promptTokens()).isEqualTo(expected.usage().promptTokens());
        }
    }

    @Test
    void putsTheSystemMessageIntoTheFirstTurn() {
        ChatSession session = session().system("资料：张三的电话是3817。李四的电话是552。").build();
        Generation answer = session.send("问题：李四的电话是多少？");
        assertThat(answer.text()).isNotEmpty();
        assertThat(answer.usage().promptTokens())
                .isEqualTo(model.vocab().tokenize("[INST] 资料：张三的电话是3817。李四的电话是552。\n\n问题：李四的电话是多少？ [/INST]").length);
        assertThat(session.messages()).hasSize(3).startsWith(ChatMessage.system("资料：张三的电话是3817。李四的电话是552。"));
        session.reset();
        assertThat(session.messages()).hasSize(1);
    }

    @Test
    void keepsThePartOfACancelledAnswer() {
        ChatSession session = session().build();
        Generation poem = session.send(POEM);
        Iterator<String> pieces = poem.iterator();
        String part = pieces.next() + pieces.next();
        poem.cancel();
        assertThat(session.messages()).containsExactly(ChatMessage.user(POEM), ChatMessage.assistant(part));
        Generation next = session.send(FRANCE);
        next.text();
        assertThat(session.messages()).hasSize(4).contains(ChatMessage.assistant(part));
        assertThat(next.usage().reusedTokens())
                .isGreaterThanOrEqualTo(poem.usage().promptTokens());
        assertThat(pieces.hasNext()).isFalse();
    }

    @Test
    void keepsThePartOfAnAbandonedAnswer() {
        ChatSession session = session().build();
        Generation poem = session.send(POEM);
        String part = poem.iterator().next();
        assertThat(session.send(FRANCE).text()).isNotEmpty();
        assertThat(session.messages().get(1)).isEqualTo(ChatMessage.assistant(part));
        assertThat(poem.text()).isEqualTo(part);
        assertThat(poem.finishReason()).contains(FinishReason.CANCELLED);
    }

    @Test
    void withdrawsAQuestionWithoutAnAnswer() {
        ChatSession session = session().build();
        session.send(POEM);
        assertThat(session.send(FRANCE).text()).isEqualTo("France");
        Generation cancelled = session.send(POEM);
        cancelled.cancel();
        assertThat(cancelled.text()).isEmpty();
        assertThat(session.messages()).containsExactly(ChatMessage.user(FRANCE), ChatMessage.assistant("France"));
    }

    @Test
    void leavesAStopStringOutOfTheMessage() {
        ChatSession session =
                session().options(GenerationOptions.builder().stop("。").build()).build();
        String line = session.send(POEM).text();
        assertThat(line).doesNotContain("。");
        Generation next = session.send(FRANCE);
        next.text();
        assertThat(session.messages().get(1).content()).isEqualTo(line);
        assertThat(next.usage().reusedTokens()).isGreaterThan(model.vocab().tokenize("[INST] " + POEM).length);
    }

    @Test
    void takesTheLastTurnBack() {
        ChatSession session = session().build();
        assertThat(session.undo()).isEmpty();
        assertThatThrownBy(session::regenerate).isInstanceOf(IllegalStateException.class);
        session.send(FRANCE).text();
        session.send(JAPAN).text();
        Generation again = session.regenerate();
        assertThat(again.text()).isEqualTo("日本");
        assertThat(session.messages()).hasSize(4);
        assertThat(session.undo()).contains(JAPAN);
        assertThat(session.messages()).hasSize(2);
    }

    @Test
    void failsWhenThePromptDoesNotFit() {
        for (ContextFullPolicy policy : ContextFullPolicy.values()) {
            try (Context small = open(256)) {
                ChatSession session =
                        ChatSession.builder(small, sampler).whenFull(policy).build();
                session.send(FRANCE).text();
                List<ChatMessage> before = session.messages();
                assertThatThrownBy(() -> session.send(LONG_WORDS.repeat(4)))
                        .isInstanceOf(ContextFullException.class)
                        .hasMessageContaining("256");
                assertThat(session.messages()).isEqualTo(before);
                assertThat(session.send(JAPAN).text()).isNotEmpty();
            }
        }
    }

    @Test
    void failsWhenTheAnswerDoesNotFit() {
        try (Context small = open(256)) {
            ChatSession session = ChatSession.builder(small, sampler)
                    .options(GenerationOptions.builder()
                            .ignoreEndOfGeneration(true)
                            .build())
                    .build();
            session.send(FRANCE, GenerationOptions.defaults()).text();
            List<ChatMessage> before = session.messages();
            Generation endless = session.send(POEM);
            assertThatThrownBy(endless::text).isInstanceOf(ContextFullException.class);
            assertThat(session.messages()).isEqualTo(before);
            assertThat(session.send(JAPAN, GenerationOptions.defaults()).text()).isEqualTo(" 日本");
        }
    }

    @Test
    void stopsTheAnswerWhenTheContextIsFull() {
        try (Context small = open(256)) {
            ChatSession session = ChatSession.builder(small, sampler)
                    .whenFull(ContextFullPolicy.STOP)
                    .options(GenerationOptions.builder()
                            .ignoreEndOfGeneration(true)
                            .build())
                    .build();
            Generation endless = session.send(POEM);
            String text = endless.text();
            assertThat(endless.finishReason()).contains(FinishReason.CONTEXT_FULL);
            assertThat(session.messages()).endsWith(ChatMessage.assistant(text));
            assertThatThrownBy(() -> session.send(JAPAN)).isInstanceOf(ContextFullException.class);
            assertThat(session.messages()).endsWith(ChatMessage.assistant(text));
        }
    }

    @Test
    void dropsTheOldestTurns() {
        try (Context small = open(256)) {
            ChatSession session = ChatSession.builder(small, sampler)
                    .system("Be brief.")
                    .whenFull(ContextFullPolicy.SHIFT)
                    .build();
            for (int i = 0; i < 12; i++) {
                session.send(i + "：" + FRANCE).text();
                Generation last = session.send(JAPAN);
                last.text();
                assertThat(last.usage().promptTokens()).isLessThanOrEqualTo(192);
            }
            assertThat(session.messages()).startsWith(ChatMessage.system("Be brief."));
            assertThat(session.messages().size()).isLessThan(1 + 4 * 12);
            assertThat(session.messages().get(1).role()).isEqualTo(ChatMessage.USER);
            assertThat(session.messages()).contains(ChatMessage.user("11：" + FRANCE));
        }
    }

    @Test
    void shiftsWithinAnAnswer() {
        for (String system : new String[] {null, "Be brief."}) {
            try (Context small = open(256)) {
                ChatSession.Builder builder = ChatSession.builder(small, sampler)
                        .whenFull(ContextFullPolicy.SHIFT)
                        .options(GenerationOptions.builder()
                                .ignoreEndOfGeneration(true)
                                .maxTokens(400)
                                .build());
                ChatSession session = (system == null ? builder : builder.system(system)).build();
                Generation endless = session.send(POEM);
                endless.text();
                assertThat(endless.finishReason()).contains(FinishReason.MAX_TOKENS);
                assertThat(session.send(
                                        FRANCE,
                                        GenerationOptions.builder().maxTokens(5).build())
                                .text())
                        .isNotEmpty();
                assertThat(session.messages()).doesNotContain(ChatMessage.user(POEM)); // the turn no longer fits
            }
        }
    }

    @Test
    void shiftsBehindASystemMessageThatTakesMostOfTheContext() {
        try (Context small = open(256)) {
            ChatSession session = ChatSession.builder(small, sampler)
                    .system("东西南北".repeat(78))
                    .whenFull(ContextFullPolicy.SHIFT)
                    .options(GenerationOptions.builder()
                            .ignoreEndOfGeneration(true)
                            .maxTokens(40)
                            .build())
                    .build();
            Generation answer = session.send("1");
            answer.text();
            assertThat(answer.usage().promptTokens()).isBetween(225, 256);
            assertThat(answer.finishReason()).contains(FinishReason.MAX_TOKENS);
        }
    }

    @Test
    void refusesASecondThread() throws Exception {
        ChatSession session = session().build();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (Sampler slow = Sampler.builder()
                .custom((candidates) -> {
                    inside.countDown();
                    await(leave);
                })
                .build()) {
            ChatSession busy = ChatSession.builder(context, slow).build();
            Future<String> answer = other.submit(() -> busy.send(
                            FRANCE, GenerationOptions.builder().maxTokens(1).build())
                    .text());
            inside.await();
            assertThatThrownBy(() -> session.send(JAPAN))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("in use by thread");
            assertThatThrownBy(busy::reset).isInstanceOf(IllegalStateException.class);
            leave.countDown();
            get(answer);
        } finally {
            leave.countDown();
            other.shutdown();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T get(Future<T> future) throws InterruptedException, ExecutionException {
        return future.get();
    }

    @Test
    void aGenerationCannotGoOnAfterAnotherBegan() {
        Iterator<String> first = context.generate("《静夜思》\n作者：", sampler).iterator();
        first.next();
        context.generate("[INST] " + FRANCE + " [/INST]", sampler).text();
        assertThatThrownBy(first::next)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("another generation");
    }
}
