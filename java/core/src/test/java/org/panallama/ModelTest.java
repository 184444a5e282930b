package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

@Tag("native")
class ModelTest {

    @TempDir
    Path folder;

    private static ModelOptions.Builder options() {
        return ModelOptions.builder();
    }

    @Test
    void knowsItself() {
        try (Model model = Tiny.model()) {
            assertThat(model.architecture()).isEqualTo("llama");
            assertThat(model.layerCount()).isEqualTo(6);
            assertThat(model.headCount()).isEqualTo(4);
            assertThat(model.kvHeadCount()).isEqualTo(2);
            assertThat(model.embeddingSize()).isEqualTo(256);
            assertThat(model.outputEmbeddingSize()).isEqualTo(256);
            assertThat(model.expertCount()).isEqualTo(8);
            assertThat(model.expertsUsed()).isEqualTo(2);
            assertThat(model.trainContextLength()).isEqualTo(2048);
            assertThat(model.parameterCount()).isBetween(13_000_000L, 13_500_000L);
            assertThat(model.sizeBytes()).isBetween(26_000_000L, 27_000_000L);
            assertThat(model.fileType()).isEqualTo("F16");
            assertThat(model.hasDecoder()).isTrue();
            assertThat(model.hasEncoder()).isFalse();
            assertThat(model.isRecurrent()).isFalse();
            assertThat(model.slidingWindow()).isZero();
            assertThat(model.chatTemplate())
                    .hasValueSatisfying(template -> assertThat(template).contains("[INST]"));
            assertThat(model.chatTemplate("tool_use")).isEmpty();
            assertThat(model.classifierLabels()).isEmpty();
            assertThat(model.metadata()).containsEntry("general.architecture", "llama");
            assertThat(model.description()).isNotEmpty();
        }
    }

    @Test
    void reportsProgress() {
        List<Float> progress = new ArrayList<>();
        try (Model model =
                Model.load(TinyModel.path(), options().onProgress(progress::add).build())) {
            assertThat(progress).isSorted().last().isEqualTo(1f);
            assertThat(model.layerCount()).isEqualTo(6);
        }
    }

    @Test
    void aListenerCancels() {
        ModelOptions cancel = options().onProgress(fraction -> false).build();
        assertThatThrownBy(() -> Model.load(TinyModel.path(), cancel))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("tiny-mixtral");
    }

    @Test
    void anExceptionOfTheListenerComesOut() {
        ModelOptions failing = options()
                .onProgress(fraction -> {
                    throw new IllegalStateException("mine");
                })
                .build();
        assertThatThrownBy(() -> Model.load(TinyModel.path(), failing))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("mine");
    }

    @Test
    void metadataCanBeOverridden() {
        ModelOptions overridden = options()
                .metadata("llama.context_length", 777)
                .metadata("general.name", "renamed")
                .metadata("tokenizer.ggml.add_bos_token", false)
                .metadata("llama.rope.freq_base", 12345.0)
                .build();
        try (Model model = Model.load(TinyModel.path(), overridden)) {
            assertThat(model.trainContextLength()).isEqualTo(777);
            assertThat(model.vocab().addsBos()).isFalse();
        }
        String long128 = "x".repeat(128);
        assertThatThrownBy(() -> options().metadata(long128, 1L)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options().metadata("k", long128))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("127");
    }

    @Test
    void loadModesAndPlacementsGiveTheSameText() {
        for (ModelOptions way : List.of(
                options().loadMode(LoadMode.READ).build(),
                options().loadMode(LoadMode.MMAP).build(),
                options().expertsOnCpu().build(),
                options().place(TensorPlacement.expertsOnCpu(3)).build(),
                options().gpuLayers(0).devices().build(),
                options().repackWeights(false).checkTensors(true).build())) {
            try (Model model = Model.load(TinyModel.path(), way);
                    Context context = model.newContext(Tiny.context().build());
                    Sampler greedy = Sampler.greedy()) {
                assertThat(context.generate(Tiny.FRANCE, greedy).text()).isEqualTo(" France");
            }
        }
    }

    @Test
    void unknownDevicesAreRefused() {
        assertThatThrownBy(() -> Model.load(
                        TinyModel.path(), options().devices("Quantum7").build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Quantum7")
                .hasMessageContaining("CPU");
        assertThatThrownBy(() -> new TensorPlacement("(", "CPU"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("regular expression");
        assertThatThrownBy(() -> options().tensorSplit(1, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options().gpuLayers(-3)).hasMessageContaining("-3");
        assertThatThrownBy(() -> options().gpuMargin(-1)).hasMessageContaining("gpuMargin is -1");
        assertThatThrownBy(() -> options().expertsOnCpu(-1)).hasMessageContaining("expertsOnCpu is -1");
        assertThatThrownBy(() -> options().devices("CPU", "CPU")).hasMessageContaining("CPU is named twice");
    }

    /** The natives of this test have no backend for GPUs. */
    @Test
    void aGpuThatIsNotThereIsMissedOnlyWhereItIsInsistedOn() {
        try (Model model = Model.load(
                TinyModel.path(), options().tensorSplit(1, 2).mainDevice(3).build())) {
            assertThat(model.placement().shares()).isEmpty();
            assertThat(model.placement().gpuLayers()).isZero();
            assertThat(model.placement().mainMemory()).isGreaterThan(model.sizeBytes());
        }
        Model.load(TinyModel.path(), options().gpuLayers(5).devices("CPU").build())
                .close();
        assertThatThrownBy(() -> Model.load(
                        TinyModel.path(),
                        options().gpuLayers(ModelOptions.ALL_LAYERS).build()))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("every layer is to be on a GPU, and there is none")
                .hasMessageContaining(
                        "has no backend for one; org.panallama:panallama-natives has, with the classifier")
                .hasMessageContaining("gpuLayers(ModelOptions.AUTO_LAYERS)");
    }

    @Test
    void theBuilderGoesOnFromOptions() {
        ModelOptions changed =
                options().metadata("tokenizer.ggml.add_bos_token", false).build();
        try (Model model =
                Model.load(TinyModel.path(), changed.toBuilder().vocabOnly(true).build())) {
            assertThat(model.vocab().addsBos()).isFalse();
            assertThat(model.placement().mainMemory()).isZero();
        }
    }

    @Test
    void savesACopyThatLoads() {
        Path copy = folder.resolve("copy.gguf");
        try (Model model = Tiny.model()) {
            model.save(copy);
        }
        try (Model model = Model.load(copy);
                Context context = model.newContext(Tiny.context().build());
                Sampler greedy = Sampler.greedy()) {
            assertThat(context.generate(Tiny.FRANCE, greedy).text()).isEqualTo(" France");
        }
        assertThat(folder).isDirectoryContaining("glob:**copy.gguf").isDirectoryNotContaining("glob:**.tmp");
    }

    @Test
    void missingFilesDirectoriesAndDamageAreNamed() throws IOException {
        assertRefused(folder.resolve("none.gguf"), "none.gguf");
        assertRefused(folder, "directory");
        assertRefused(Files.createFile(folder.resolve("empty.gguf")), "empty");
        assertRefused(Files.writeString(folder.resolve("text.gguf"), "<!DOCTYPE html><html>"), "web page");
        Path cut = Files.copy(TinyModel.path(), folder.resolve("cut.gguf"));
        for (long length : new long[] {3, 20, 1000, 120_000, 1_000_000, 26_000_000}) {
            try (RandomAccessFile file = new RandomAccessFile(cut.toFile(), "rw")) {
                file.setLength(length);
            }
            assertThatThrownBy(() -> Model.load(cut)).isInstanceOf(ModelLoadException.class);
            Files.copy(TinyModel.path(), cut, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void assertRefused(Path file, String word) {
        assertThatThrownBy(() -> Model.load(file))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(word)
                .satisfies(e -> assertThat(((ModelLoadException) e).file()).isEqualTo(file));
    }

    @Test
    void modelsAreSharedBetweenThreads() throws InterruptedException {
        try (Model model = Tiny.model()) {
            List<String> texts = new CopyOnWriteArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Thread thread = new Thread(() -> {
                    try (Context context = model.newContext(Tiny.context().build());
                            Sampler greedy = Sampler.greedy()) {
                        texts.add(context.generate(Tiny.FRANCE, greedy).text());
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(texts).hasSize(4).containsOnly(" France");
        }
    }
}
