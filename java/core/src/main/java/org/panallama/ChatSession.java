package org.panallama;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatTemplate.Piece;
import org.panallama.PromptTokenizer.Answer;

/**
 * A conversation: it keeps the messages, writes them by the model's chat template, and computes only what is new, since the
 * context remembers the turns before.
 *
 * <p>An answer becomes a message as it is generated. If it is cancelled, or a new question is asked before its end, the part
 * that came is the message. If nothing came of it, or its generation threw an exception, question and answer are withdrawn and
 * the session is as before.
 *
 * <p>A user's text cannot end a turn or begin another: special tokens are recognised in the template's own text only. Two things
 * that the model's file decides are beyond that: a marker that is plain text to the vocabulary, as {@code [INST]} is for Mixtral
 * 8x7B, can be imitated; and a token that the vocabulary declares user-defined is recognised in any text.
 *
 * <p>Works on sequence 0 of its context, as {@link Context#generate} does. It serves one thread at a time, and owns nothing that
 * must be closed: context and sampler are the caller's.
 */
public final class ChatSession {

    /** With {@link ContextFullPolicy#SHIFT}, a quarter of the context is kept free for an answer. */
    private static final int RESERVE = 4;

    private final Context context;
    private final Sampler sampler;
    private final ChatTemplate template;
    private final GenerationOptions options;
    private final ContextFullPolicy whenFull;
    private final PromptTokenizer tokenizer;
    private @Nullable String system;
    private List<Turn> turns = List.of();
    private @Nullable Pending pending;

    /**
     * A question and its answer.
     *
     * @param tokens the answer as generated, {@code null} if its text is not just those tokens
     */
    record Turn(String question, String answer, @Nullable Answer tokens) {}

    /**
     * A question whose answer is not settled yet.
     *
     * @param before the turns that it was asked after
     * @param cue what the template introduces the answer with
     */
    private record Pending(List<Turn> before, String question, String cue, Generation generation) {

        boolean counts() {
            return !generation.hasFailed() && generation.usage().generatedTokens() > 0;
        }
    }

    private record Prompt(List<Turn> before, List<Piece> pieces, int[] tokens) {}

    private ChatSession(Builder builder, ChatTemplate template) {
        this.context = builder.context;
        this.sampler = builder.sampler;
        this.template = template;
        this.options = builder.options;
        this.whenFull = builder.whenFull;
        this.system = builder.system;
        this.tokenizer = context.model().vocab().promptTokenizer();
    }

    /**
     * A builder of a session.
     *
     * @param context what the session computes on; nothing else should use its sequence 0 meanwhile, or all is computed again
     * @param sampler chooses the answers' tokens
     */
    public static Builder builder(Context context, Sampler sampler) {
        return new Builder(context, sampler);
    }

    /** {@link #send(String, GenerationOptions)} with the session's options. */
    public Generation send(String user) {
        return send(user, options);
    }

    /**
     * Asks. An answer that is still coming ends where it is.
     *
     * @param user the user's message
     * @param options for this answer; its {@code whenFull} and {@code keep} do not count, the session's policy does
     * @return the answer, which is generated as it is gone through
     * @throws ContextFullException if the conversation does not fit into the context, and with {@link ContextFullPolicy#SHIFT}
     *     if not even this message does; the session is as before
     */
    public Generation send(String user, GenerationOptions options) {
        Objects.requireNonNull(user, "user");
        return guarded(() -> {
            settle();
            Prompt prompt = fitting(user, options);
            int keep = whenFull == ContextFullPolicy.SHIFT ? systemTokens(prompt) : 0;
            Generation generation = new Generation(context, prompt.tokens, sampler, options, whenFull, keep);
            pending = new Pending(prompt.before, user, PromptTokenizer.cue(prompt.pieces), generation);
            return generation;
        });
    }

    /**
     * Answers the last question anew.
     *
     * @throws IllegalStateException if there is none
     */
    public Generation regenerate() {
        return guarded(() -> {
            settle();
            if (turns.isEmpty()) {
                throw new IllegalStateException("there is no answer to generate anew");
            }
            List<Turn> all = turns;
            Turn last = all.get(all.size() - 1);
            turns = all.subList(0, all.size() - 1);
            try {
                return send(last.question);
            } catch (RuntimeException e) {
                turns = all;
                throw e;
            }
        });
    }

    /**
     * Takes the last question and its answer back.
     *
     * @return the question; empty if there is none
     */
    public Optional<String> undo() {
        return guarded(() -> {
            settle();
            if (turns.isEmpty()) {
                return Optional.empty();
            }
            Turn last = turns.get(turns.size() - 1);
            turns = List.copyOf(turns.subList(0, turns.size() - 1));
            return Optional.of(last.question);
        });
    }

    /** Forgets the conversation, but for the system message. */
    public void reset() {
        guarded(() -> {
            settle();
            turns = List.of();
            return null;
        });
    }

    /**
     * The conversation as the model is given it, with the part of an answer that came so far. Turns that {@link
     * ContextFullPolicy#SHIFT} dropped are no longer in it.
     */
    public List<ChatMessage> messages() {
        List<Turn> all = turns;
        Pending open = pending;
        if (open != null && open.counts()) {
            all = new ArrayList<>(open.before);
            all.add(new Turn(open.question, open.generation.textSoFar(), null));
        }
        return List.copyOf(messages(all));
    }

    /** The system message. */
    public Optional<String> system() {
        return Optional.ofNullable(system);
    }

    /** The template in use. */
    public ChatTemplate template() {
        return template;
    }

    /**
     * Saves the conversation and what the context remembers of it to a file, which appears whole or not at all. An answer that
     * is still coming ends where it is.
     *
     * @throws LlamaException if the file cannot be written
     */
    public void save(Path file) {
        guarded(() -> {
            settle();
            ChatFile.save(file, context, new ChatFile.Conversation(system, turns));
            return null;
        });
    }

    /**
     * Replaces the conversation, system message included, by a saved one.
     *
     * @throws LlamaException if the file cannot be read, is damaged, of another model, or does not fit into the context; the
     *     conversation is as before
     */
    public void load(Path file) {
        guarded(() -> {
            settle();
            ChatFile.Conversation loaded = ChatFile.load(file, context);
            system = loaded.system();
            turns = loaded.turns();
            return null;
        });
    }

    /** Makes the open answer a turn, or withdraws it. */
    private void settle() {
        Pending open = pending;
        if (open == null) {
            return;
        }
        pending = null;
        Generation generation = open.generation;
        if (generation.finishReason().isEmpty()) {
            generation.requestCancel();
        }
        if (open.counts()) {
            String text = generation.textSoFar();
            int[] tokens = tokensOf(text, generation.tokens());
            List<Turn> all = new ArrayList<>(open.before);
            all.add(new Turn(open.question, text, tokens == null ? null : new Answer(tokens, open.cue)));
            turns = List.copyOf(all);
        }
    }

    /**
     * The first tokens that make just this text: a stop string, or the token that ended it, is not among them. A text may lack
     * the space that its first token begins with.
     */
    private int @Nullable [] tokensOf(String text, int[] tokens) {
        Vocab vocab = context.model().vocab();
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int at = 0;
        int count = 0;
        for (int token : tokens) {
            byte[] piece = vocab.bytesOf(token, false);
            int from = count == 0 && piece.length > 0 && piece[0] == ' ' && !text.startsWith(" ") ? 1 : 0;
            int to = at + piece.length - from;
            boolean behind = at == utf8.length && (piece.length > 0 || vocab.isEndOfGeneration(token));
            if (behind || to > utf8.length || !Arrays.equals(piece, from, piece.length, utf8, at, to)) {
                break;
            }
            at = to;
            count++;
        }
        return at == utf8.length ? Arrays.copyOf(tokens, count) : null;
    }

    /** The prompt for a question after as many of the turns as fit. */
    private Prompt fitting(String question, GenerationOptions options) {
        int length = context.sequenceLength();
        Prompt prompt = prompt(turns, question);
        if (whenFull != ContextFullPolicy.SHIFT
                || prompt.tokens.length <= length - Math.min(options.maxTokens, length / RESERVE)) {
            return prompt;
        }
        // Half of the context at once, since all that is left has to be computed anew.
        while (!prompt.before.isEmpty() && prompt.tokens.length > length / 2) {
            prompt = prompt(prompt.before.subList(1, prompt.before.size()), question);
        }
        return prompt;
    }

    private Prompt prompt(List<Turn> before, String question) {
        List<ChatMessage> messages = messages(before);
        messages.add(ChatMessage.user(question));
        List<Piece> pieces = template.pieces(messages, true);
        return new Prompt(
                before,
                pieces,
                tokenizer.tokenize(pieces, before.stream().map(Turn::tokens).toList()));
    }

    /** How many tokens the prompt begins with whatever is asked. */
    private int systemTokens(Prompt prompt) {
        List<Piece> start = template.pieces(messages(List.of()), false);
        int[] tokens = tokenizer.tokenize(start, List.of());
        int mismatch = Arrays.mismatch(tokens, prompt.tokens);
        int common = mismatch < 0 ? tokens.length : mismatch;
        return Math.max(0, Math.min(common, context.sequenceLength() - 2)); // something has to be left to drop
    }

    private List<ChatMessage> messages(List<Turn> of) {
        List<ChatMessage> messages = new ArrayList<>();
        if (system != null) {
            messages.add(ChatMessage.system(system));
        }
        for (Turn turn : of) {
            messages.add(ChatMessage.user(turn.question));
            messages.add(ChatMessage.assistant(turn.answer));
        }
        return messages;
    }

    /** Refuses a second thread while one computes. */
    private <T> T guarded(Supplier<T> action) {
        context.handle().enter();
        try {
            return action.get();
        } finally {
            context.handle().exit();
        }
    }

    @Override
    public String toString() {
        return "chat of " + turns.size() + " turns on " + context;
    }

    /** Collects what a session needs. Not thread-safe. */
    public static final class Builder {

        private final Context context;
        private final Sampler sampler;
        private @Nullable String system;
        private @Nullable ChatTemplate template;
        private GenerationOptions options =
                GenerationOptions.builder().stripLeadingSpace(true).build();
        private ContextFullPolicy whenFull = ContextFullPolicy.FAIL;

        private Builder(Context context, Sampler sampler) {
            this.context = Objects.requireNonNull(context, "context");
            this.sampler = Objects.requireNonNull(sampler, "sampler");
        }

        /** Instructions for the whole conversation; none by default. */
        public Builder system(String message) {
            system = Objects.requireNonNull(message, "message");
            return this;
        }

        /** {@link ChatTemplate#of(Model)} by default. */
        public Builder template(ChatTemplate chatTemplate) {
            template = Objects.requireNonNull(chatTemplate, "chatTemplate");
            return this;
        }

        /**
         * For every answer, but for {@code whenFull} and {@code keep}. By default an answer ends when the model ends it, and a
         * leading space is stripped.
         */
        public Builder options(GenerationOptions generationOptions) {
            options = Objects.requireNonNull(generationOptions, "generationOptions");
            return this;
        }

        /**
         * What happens when the conversation does not fit into the context any more; {@link ContextFullPolicy#FAIL} by default.
         *
         * <ul>
         *   <li>{@code FAIL}: {@link ContextFullException}, from {@code send} if the prompt does not fit, from the answer if that
         *       does not; the turn is withdrawn.
         *   <li>{@code STOP}: the answer ends with {@link FinishReason#CONTEXT_FULL}. A prompt that does not fit fails.
         *   <li>{@code SHIFT}: the oldest turns are dropped, never the system message, when three quarters of the context are
         *       taken, until the prompt takes half of it at most. Where an answer fills what is left, the older half of what is
         *       behind the system message is dropped, and the answer goes on.
         * </ul>
         */
        public Builder whenFull(ContextFullPolicy policy) {
            whenFull = Objects.requireNonNull(policy, "policy");
            return this;
        }

        /**
         * The session.
         *
         * @throws LlamaException if the model has no template that llama.cpp knows, and none was set
         */
        public ChatSession build() {
            return new ChatSession(this, template == null ? ChatTemplate.of(context.model()) : template);
        }
    }
}
