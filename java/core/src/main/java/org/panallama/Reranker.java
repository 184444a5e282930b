package org.panallama;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatTemplate.Piece;
import org.panallama.internal.GgufFile;
import org.panallama.internal.Require;
import org.panallama.internal.TokenHistory;

/**
 * Scores documents by how well they answer a query, with a model that has a classification head (a cross-encoder, for example
 * bge-reranker or Qwen3-Reranker).
 *
 * <p>Query and document go in together: by the model's template of the name {@code rerank} if it has one, else as BOS, query,
 * EOS, SEP, document, EOS, each of the special tokens only if the model wants it around texts. Special tokens are not recognised
 * in the query and the documents.
 *
 * <p>Thread-safe; calls wait for each other. It has a context of its own, which {@link #close()} frees.
 */
public final class Reranker implements AutoCloseable {

    private static final Pattern PLACE = Pattern.compile("\\{(query|document)}");
    private static final List<String> HEADS = List.of("cls.weight", "cls.output.weight");

    private final Vocab vocab;
    private final @Nullable Template template;
    private final SequenceBatches batches;
    private final ReentrantLock lock = new ReentrantLock();

    /**
     * The model's own form.
     *
     * @param pieces its text, and in the role of {@code query} and {@code document} the places for these
     */
    private record Template(List<Piece> pieces, PromptTokenizer tokenizer) {

        static Template of(String source, Vocab vocab) {
            List<Piece> pieces = new ArrayList<>();
            Matcher place = PLACE.matcher(source);
            int end = 0;
            while (place.find()) {
                pieces.add(new Piece(source.substring(end, place.start()), null));
                pieces.add(new Piece("", place.group(1)));
                end = place.end();
            }
            pieces.add(new Piece(source.substring(end), null));
            return new Template(pieces, vocab.promptTokenizer());
        }

        int[] tokens(String query, String document) {
            List<Piece> filled = new ArrayList<>();
            for (Piece piece : pieces) {
                String text = piece.isLiteral() ? piece.text() : "query".equals(piece.role()) ? query : document;
                filled.add(new Piece(text, piece.role()));
            }
            return tokenizer.tokenize(filled);
        }
    }

    private Reranker(Builder builder) {
        Model model = builder.model;
        if (model.pooling() != Pooling.RANK && !hasHead(model)) {
            throw new LlamaException(model + " has no classification head, so it cannot score documents."
                    + " Take a reranker, or compare the vectors of an Embedder.");
        }
        this.vocab = model.vocab();
        this.template = model.chatTemplate("rerank")
                .map(source -> Template.of(source, vocab))
                .orElse(null);
        this.batches = new SequenceBatches(model, Pooling.RANK, builder.microBatch, builder.sequences, builder.threads);
    }

    /** Older files have the tensors and do not say so in their metadata. */
    private static boolean hasHead(Model model) {
        GgufFile file = GgufFile.read(model.file());
        return HEADS.stream().anyMatch(name -> file.tensor(name).isPresent());
    }

    /**
     * A reranker with the settings of a new {@link #builder}.
     *
     * @throws LlamaException as {@link Builder#build()}
     */
    public static Reranker of(Model model) {
        return builder(model).build();
    }

    public static Builder builder(Model model) {
        return new Builder(model);
    }

    /**
     * The documents, the best first.
     *
     * @throws IllegalArgumentException if a document and the query have more than {@link #longestText()} tokens; nothing is
     *     computed then
     * @throws IllegalStateException if the reranker or its model is closed
     */
    public List<RankedDocument> rank(String query, List<String> documents) {
        float[] scores = scores(query, documents);
        List<RankedDocument> ranked = new ArrayList<>(scores.length);
        for (int i = 0; i < scores.length; i++) {
            ranked.add(new RankedDocument(i, documents.get(i), scores[i]));
        }
        ranked.sort(Comparator.comparingDouble(RankedDocument::score).reversed());
        return List.copyOf(ranked);
    }

    /**
     * The documents' scores, in the order of the documents; see {@link #rank}. Of a head with several outputs, the first one.
     *
     * @throws IllegalArgumentException as {@link #rank}
     * @throws IllegalStateException as {@link #rank}
     */
    public float[] scores(String query, List<String> documents) {
        List<int[]> sequences = new ArrayList<>(documents.size());
        for (String document : documents) {
            int[] tokens = template == null ? pair(query, document) : template.tokens(query, document);
            batches.check("document " + sequences.size() + " with the query", tokens);
            sequences.add(tokens);
        }
        float[] scores = new float[sequences.size()];
        lock.lock();
        try {
            List<float[]> outputs = batches.compute(sequences);
            for (int i = 0; i < scores.length; i++) {
                scores[i] = outputs.get(i)[0];
            }
        } finally {
            lock.unlock();
        }
        return scores;
    }

    private int[] pair(String query, String document) {
        int end = vocab.addsEos() ? (vocab.eos() == Vocab.NO_TOKEN ? vocab.separator() : vocab.eos()) : Vocab.NO_TOKEN;
        TokenHistory tokens = new TokenHistory();
        append(tokens, vocab.addsBos() ? vocab.bos() : Vocab.NO_TOKEN);
        append(tokens, query);
        append(tokens, end);
        append(tokens, vocab.addsSeparator() ? vocab.separator() : Vocab.NO_TOKEN);
        append(tokens, document);
        append(tokens, end);
        return tokens.toArray();
    }

    private void append(TokenHistory tokens, String text) {
        int[] more = vocab.tokenize(text, false, false);
        tokens.append(more, 0, more.length);
    }

    private static void append(TokenHistory tokens, int token) {
        if (token != Vocab.NO_TOKEN) {
            tokens.append(token);
        }
    }

    /** The most tokens that a document can have together with the query and what the model adds. */
    public int longestText() {
        return batches.longest();
    }

    /** Frees the context. Waits for the call in flight. */
    @Override
    public void close() {
        lock.lock();
        try {
            batches.close();
        } finally {
            lock.unlock();
        }
    }

    /** Collects settings; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        private final Model model;
        private int microBatch = SequenceBatches.DEFAULT_MICRO_BATCH;
        private int sequences = SequenceBatches.DEFAULT_SEQUENCES;
        private int threads;

        private Builder(Model model) {
            this.model = Objects.requireNonNull(model, "model");
        }

        /** Most tokens that are computed together, and so also of one document with the query; 512 by default. */
        public Builder microBatch(int tokens) {
            microBatch = Require.inRange("microBatch", tokens, 1, ContextOptions.Builder.MAX_BATCH);
            return this;
        }

        /** Most documents that are computed together; 32 by default. */
        public Builder sequences(int count) {
            sequences = Require.inRange("sequences", count, 1, Llama.maxSequences());
            return this;
        }

        /** CPU threads; one for each core by default. */
        public Builder threads(int count) {
            threads = Require.inRange("threads", count, 1, ContextOptions.Builder.MAX_THREADS);
            return this;
        }

        /**
         * The reranker.
         *
         * @throws LlamaException if the model has no classification head, or there is not enough memory
         */
        public Reranker build() {
            return new Reranker(this);
        }
    }
}
