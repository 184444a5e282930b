package org.panallama.server;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatTemplate;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Embedder;
import org.panallama.LlamaException;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.Pooling;
import org.panallama.Reranker;
import org.panallama.Vocab;
import org.panallama.engine.Engine;
import org.panallama.engine.EngineStats;

/**
 * A loaded model with all that requests need of it. What takes memory is made when the first request needs it: an embedding model
 * has no engine. Thread-safe.
 */
final class ServedModel implements AutoCloseable {

    private static final int USUAL_LENGTH = 4096;
    private static final int LONGEST_TEXT = 2048; // tokens to embed or to rank; the memory for them is taken at once
    private static final double LEAST_DRAFT_PROBABILITY = 0.5;

    final String name;
    final Model model;

    /** Tells builds apart whose answers to the same seed may differ; every chunk of a stream carries it. */
    final String fingerprint;

    final RequestLog requests = new RequestLog();
    private final ModelSettings settings;
    private final List<Adapter> adapters = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Engine engine;
    private @Nullable Model draft; // guarded by lock, as those below
    private @Nullable ChatTemplate template;
    private @Nullable Embedder embedder;
    private @Nullable Reranker reranker;
    private boolean closed;

    /** A LoRA adapter, with its strength in requests that say nothing of it. */
    static final class Adapter {

        final LoraAdapter lora;
        volatile float scale;

        Adapter(LoraAdapter lora, float scale) {
            this.lora = lora;
            this.scale = scale;
        }
    }

    ServedModel(String name, Path file, ModelSettings settings) {
        this.name = name;
        this.settings = settings;
        model = load(file);
        fingerprint =
                "panallama-" + Integer.toHexString((name + model.sizeBytes() + model.parameterCount()).hashCode());
        try {
            settings.lora.forEach((path, scale) -> adapters.add(new Adapter(model.loadLora(path), scale)));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** With room on a GPU for the context that requests will share. */
    private Model load(Path file) {
        int length = settings.length != 0 ? settings.length : settings.parallel * USUAL_LENGTH;
        return Model.load(
                file,
                settings.loading.toBuilder().fitFor(options(length).build()).build());
    }

    Vocab vocab() {
        return model.vocab();
    }

    List<Adapter> adapters() {
        return List.copyOf(adapters);
    }

    /** The adapters' strengths at present. */
    Map<LoraAdapter, Float> scales() {
        Map<LoraAdapter, Float> scales = new LinkedHashMap<>();
        for (Adapter adapter : adapters) {
            if (adapter.scale != 0) {
                scales.put(adapter.lora, adapter.scale);
            }
        }
        return scales;
    }

    /**
     * @throws ApiException if the model cannot generate
     * @throws LlamaException if there is not enough memory
     */
    Engine engine() {
        Engine open = engine;
        if (open != null) {
            return open;
        }
        lock.lock();
        try {
            checkOpen();
            if (engine == null) {
                engine = openEngine();
            }
            return engine;
        } finally {
            lock.unlock();
        }
    }

    private Engine openEngine() {
        // llama.cpp would make text of BERT, too.
        boolean seesAhead = "false".equals(model.metadata().get(model.architecture() + ".attention.causal"));
        if (!model.hasDecoder() || seesAhead) {
            throw ApiException.badField("model", model + " is an encoder: it makes embeddings, and generates no text.");
        }
        int length = settings.length != 0
                ? settings.length
                : settings.parallel
                        * (model.trainContextLength() > 0
                                ? Math.min(model.trainContextLength(), USUAL_LENGTH)
                                : USUAL_LENGTH);
        Context context = model.newContext(options(length).build());
        try {
            Engine.Builder builder =
                    Engine.builder(context).queue(settings.queue).chunk(settings.chunk);
            if (settings.lookup > 0) {
                builder.lookup(settings.lookup);
            }
            if (settings.draft != null) {
                draft = load(settings.draft);
                builder.draft(draft.newContext(options(length).build()), settings.draftTokens, LEAST_DRAFT_PROBABILITY);
            }
            return builder.build();
        } catch (RuntimeException e) {
            context.close();
            if (draft != null) {
                draft.close();
            }
            throw e;
        }
    }

    private ContextOptions.Builder options(int length) {
        ContextOptions.Builder options = ContextOptions.builder()
                .sequences(settings.parallel)
                .sharedCache(true)
                .length(length)
                .kvTypes(settings.keyType, settings.valueType);
        if (settings.threads > 0) {
            options.threads(settings.threads);
        }
        return options;
    }

    /** {@code null} as long as nothing was generated. */
    @Nullable EngineStats stats() {
        Engine open = engine;
        return open == null ? null : open.stats();
    }

    int parallel() {
        return settings.parallel;
    }

    /**
     * @throws LlamaException if the model has none
     */
    ChatTemplate template() {
        lock.lock();
        try {
            checkOpen();
            if (template == null) {
                template = settings.chatTemplate == null
                        ? ChatTemplate.of(model)
                        : ChatTemplate.of(model, settings.chatTemplate);
            }
            return template;
        } finally {
            lock.unlock();
        }
    }

    /**
     * @throws ApiException if the model is a reranker
     * @throws LlamaException if there is not enough memory
     */
    Embedder embedder() {
        lock.lock();
        try {
            checkOpen();
            if (model.pooling() == Pooling.RANK) {
                throw ApiException.badField("model", model + " is a reranker: it scores documents, see /v1/rerank.");
            }
            if (embedder == null) {
                Embedder.Builder builder = Embedder.builder(model).microBatch(longestText());
                if (settings.threads > 0) {
                    builder.threads(settings.threads);
                }
                embedder = builder.build();
            }
            return embedder;
        } finally {
            lock.unlock();
        }
    }

    /**
     * @throws LlamaException if the model is none, or there is not enough memory
     */
    Reranker reranker() {
        lock.lock();
        try {
            checkOpen();
            if (reranker == null) {
                Reranker.Builder builder = Reranker.builder(model).microBatch(longestText());
                if (settings.threads > 0) {
                    builder.threads(settings.threads);
                }
                reranker = builder.build();
            }
            return reranker;
        } finally {
            lock.unlock();
        }
    }

    private int longestText() {
        int trained = model.trainContextLength();
        return trained > 0 ? Math.min(trained, LONGEST_TEXT) : LONGEST_TEXT;
    }

    private void checkOpen() {
        if (closed) {
            throw ApiException.unavailable("The model '" + name + "' is being unloaded.");
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            Engine open = engine;
            if (open != null) {
                open.close();
            }
            if (draft != null) {
                draft.close();
            }
            if (embedder != null) {
                embedder.close();
            }
            if (reranker != null) {
                reranker.close();
            }
            model.close();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return "served " + model;
    }
}
