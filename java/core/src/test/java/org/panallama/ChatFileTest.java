package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

/** Saving and loading of a {@link ChatSession}. */
@Tag("native")
class ChatFileTest {

    private static final String FRANCE = "法国的英文名是什么？";
    private static final String JAPAN = "What is the Chinese name of Japan?";
    private static final String POEM = "背诵李白的《静夜思》。";

    private static Model model;

    @TempDir
    Path folder;

    private Path file;
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
        file = folder.resolve("chat.bin");
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

    private ChatSession session() {
        return ChatSession.builder(context, sampler).system("Be brief.").build();
    }

    /** A session with two turns, the second of them cut short. */
    private ChatSession saved() {
        ChatSession session = session();
        session.send(FRANCE).text();
        session.send(POEM, GenerationOptions.builder().maxTokens(7).build()).text();
        session.save(file);
        return session;
    }

    @Test
    void goesOnInAnotherContextWithoutComputingAgain() {
        ChatSession session = saved();
        List<ChatMessage> messages = session.messages();
        Generation expected = session.send(JAPAN);
        expected.text();
        try (Context other = open(512)) {
            ChatSession loaded = ChatSession.builder(other, sampler).build();
            loaded.load(file);
            assertThat(loaded.messages()).isEqualTo(messages);
            Generation answer = loaded.send(JAPAN);
            assertThat(answer.text()).isEqualTo(expected.text());
            assertThat(answer.usage()).isEqualTo(expected.usage());
            assertThat(answer.usage().reusedTokens()).isPositive();
        }
    }

    @Test
    void replacesTheConversation() {
        List<ChatMessage> messages = saved().messages();
        ChatSession session = session();
        session.send(JAPAN).text();
        session.load(file);
        assertThat(session.messages()).isEqualTo(messages);
        session.reset();
        session.save(file);
        session.load(file);
        assertThat(session.messages()).containsExactly(ChatMessage.system("Be brief."));
    }

    @Test
    void leavesNothingBesideTheFile() throws IOException {
        saved().save(file);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
        assertThatThrownBy(() -> session().save(folder.resolve("missing").resolve("chat.bin")))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("missing");
    }

    @Test
    void refusesADamagedFile() throws IOException {
        saved();
        byte[] bytes = Files.readAllBytes(file);
        ChatSession session = session();
        session.send(JAPAN).text();
        List<ChatMessage> before = session.messages();
        for (int at = 0; at < bytes.length; at += at < 1000 ? 7 : bytes.length / 50) {
            byte[] flipped = bytes.clone();
            flipped[at] ^= 0x55;
            refuses(session, flipped);
            refuses(session, Arrays.copyOf(bytes, at));
        }
        assertThat(session.messages()).isEqualTo(before);
        assertThat(session.send(FRANCE).text()).isEqualTo("France");
    }

    private void refuses(ChatSession session, byte[] bytes) throws IOException {
        Files.write(file, bytes);
        assertThatThrownBy(() -> session.load(file))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void refusesWhatIsNoConversation() throws IOException {
        ChatSession session = session();
        assertThatThrownBy(() -> session.load(folder.resolve("none"))).isInstanceOf(LlamaException.class);
        assertThatThrownBy(() -> session.load(folder)).isInstanceOf(LlamaException.class);
        Files.writeString(file, "a text of some other kind, which is longer than the header");
        assertThatThrownBy(() -> session.load(file))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("is no saved conversation");
    }

    @Test
    void refusesAConversationThatDoesNotFit() {
        ChatSession session = session();
        session.send(FRANCE + "东西南北".repeat(80)).text();
        session.save(file);
        try (Context small = open(256)) {
            ChatSession loaded = ChatSession.builder(small, sampler).build();
            assertThatThrownBy(() -> loaded.load(file))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining("does not fit");
            assertThat(loaded.messages()).isEmpty();
            assertThat(loaded.send(FRANCE).text()).isEqualTo("France");
        }
    }
}
