package org.panallama.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models that a server has, loaded when a request asks for one. At most so many are in memory: for another one, the one that was
 * used the longest ago and that no request is using is unloaded. Thread-safe.
 */
final class ModelStore implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ModelStore.class);
    private static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-\\d{5}");
    private static final Duration PATIENCE = Duration.ofSeconds(30); // for a model to become idle

    private final Source source;
    private final ModelSettings settings;
    private final int most;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<String, Entry> entries = new TreeMap<>(); // those in memory, guarded by lock
    private long clock; // guarded by lock
    private boolean closing; // guarded by lock

    /** Where models come from. */
    private interface Source {

        /** The files by name; looked up each time, so that new files are found. */
        Map<String, Path> files();

        /** The file of a name. */
        Optional<Map.Entry<String, Path>> find(@Nullable String name);
    }

    private static final class Entry {

        private @Nullable ServedModel model; // null while it is loaded
        private int users;
        private long lastUsed;
    }

    /** A model in use. */
    final class Lease implements AutoCloseable {

        final ServedModel model;
        private final Entry entry;
        private boolean ended;

        private Lease(ServedModel model, Entry entry) {
            this.model = model;
            this.entry = entry;
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (!ended) {
                    ended = true;
                    entry.users--;
                    changed.signalAll();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private ModelStore(Source source, ModelSettings settings, int most) {
        this.source = source;
        this.settings = settings;
        this.most = most;
    }

    /** One model, which answers whatever model a request names: clients name those of the service that they were written for. */
    static ModelStore of(String name, Path file, ModelSettings settings) {
        Map<String, Path> files = Map.of(name, file);
        return new ModelStore(
                new Source() {
                    @Override
                    public Map<String, Path> files() {
                        return files;
                    }

                    @Override
                    public Optional<Map.Entry<String, Path>> find(@Nullable String wanted) {
                        return Optional.of(Map.entry(name, file));
                    }
                },
                settings,
                1);
    }

    /** The GGUF files of a folder, each by its name. */
    static ModelStore ofFolder(Path folder, ModelSettings settings, int most) {
        return new ModelStore(
                new Source() {
                    @Override
                    public Map<String, Path> files() {
                        return models(folder);
                    }

                    @Override
                    public Optional<Map.Entry<String, Path>> find(@Nullable String wanted) {
                        Map<String, Path> files = models(folder);
                        if (wanted == null) {
                            return files.size() == 1 ? files.entrySet().stream().findFirst() : Optional.empty();
                        }
                        Path file = files.get(wanted);
                        return file == null ? Optional.empty() : Optional.of(Map.entry(wanted, file));
                    }
                },
                settings,
                most);
    }

    /** A model's name: its file's, without the ending and, of the first of several parts, without their number. */
    static String name(Path file) {
        String name = file.getFileName().toString();
        String stem = name.toLowerCase(Locale.ROOT).endsWith(".gguf") ? name.substring(0, name.length() - 5) : name;
        Matcher part = PART.matcher(stem);
        return part.matches() ? part.group(1) : stem;
    }

    private static Map<String, Path> models(Path folder) {
        Map<String, Path> models = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String fileName = file.getFileName().toString();
                if (!fileName.toLowerCase(Locale.ROOT).endsWith(".gguf") || !Files.isRegularFile(file)) {
                    continue;
                }
                Matcher part = PART.matcher(fileName.substring(0, fileName.length() - 5));
                if (!part.matches() || Integer.parseInt(part.group(2)) == 1) {
                    models.put(name(file), file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(new IOException("The folder of models cannot be read: " + folder, e));
        }
        return models;
    }

    /** The names of all models. */
    Map<String, Path> files() {
        return source.files();
    }

    /** Those in memory. */
    List<ServedModel> loaded() {
        lock.lock();
        try {
            List<ServedModel> loaded = new ArrayList<>();
            for (Entry entry : entries.values()) {
                if (entry.model != null) {
                    loaded.add(entry.model);
                }
            }
            return loaded;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a model in use, and loads it if need be.
     *
     * @param wanted the name that a request gave, if it gave one
     * @throws ApiException if there is no such model, or no memory for it comes free
     * @throws org.panallama.LlamaException if it cannot be loaded
     */
    Lease take(@Nullable String wanted) {
        Map.Entry<String, Path> found = source.find(wanted)
                .orElseThrow(() -> wanted == null
                        ? new ApiException(
                                400,
                                "invalid_request_error",
                                "'model' is missing. There are: " + String.join(", ", files().keySet()),
                                "model",
                                "missing_required_parameter")
                        : new ApiException(
                                404,
                                "invalid_request_error",
                                "The model '" + wanted + "' does not exist. There are: "
                                        + String.join(", ", files().keySet()),
                                "model",
                                "model_not_found"));
        String name = found.getKey();
        Entry entry;
        lock.lock();
        try {
            while (true) {
                if (closing) {
                    throw ApiException.unavailable("The server is shutting down.");
                }
                Entry present = entries.get(name);
                if (present != null && present.model != null) {
                    present.users++;
                    present.lastUsed = ++clock;
                    return new Lease(present.model, present);
                }
                if (present == null && (entries.size() < most || unloadIdle())) {
                    entry = new Entry();
                    entries.put(name, entry);
                    break;
                }
                // It is being loaded by another request, or all others are in use.
                if (!changed.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw ApiException.unavailable("There is no memory for the model '" + name + "': " + most
                            + " others are in use, which is as many as may be loaded.");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("Interrupted while waiting for the model '" + name + "'.");
        } finally {
            lock.unlock();
        }
        return load(name, found.getValue(), entry);
    }

    private Lease load(String name, Path file, Entry entry) {
        ServedModel model = null;
        try {
            model = new ServedModel(name, file, settings);
            LOG.info("Loaded {} from {}", name, file);
        } finally {
            lock.lock();
            try {
                if (model == null || closing) {
                    entries.remove(name);
                } else {
                    entry.model = model;
                    entry.users = 1;
                    entry.lastUsed = ++clock;
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
        if (entry.model == null) {
            model.close();
            throw ApiException.unavailable("The server is shutting down.");
        }
        return new Lease(model, entry);
    }

    /** Makes room for one model. Returns {@code false} if all are in use. Holds the lock while the model is freed. */
    private boolean unloadIdle() {
        String oldest = null;
        long used = Long.MAX_VALUE;
        for (Map.Entry<String, Entry> candidate : entries.entrySet()) {
            Entry entry = candidate.getValue();
            if (entry.model != null && entry.users == 0 && entry.lastUsed < used) {
                oldest = candidate.getKey();
                used = entry.lastUsed;
            }
        }
        if (oldest == null) {
            return false;
        }
        Entry removed = entries.remove(oldest);
        if (removed.model != null) {
            removed.model.close();
        }
        LOG.info("Unloaded {}", oldest);
        return true;
    }

    boolean isClosing() {
        lock.lock();
        try {
            return closing;
        } finally {
            lock.unlock();
        }
    }

    /** Closes the models; what requests compute with them is cancelled. */
    @Override
    public void close() {
        List<ServedModel> models = loaded();
        lock.lock();
        try {
            closing = true;
            entries.values().removeIf(entry -> entry.model != null);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        models.forEach(ServedModel::close);
    }
}
