package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.panallama.spi.BindingUnderTest.BINDING;
import static org.panallama.spi.BindingUnderTest.loadModel;
import static org.panallama.spi.BindingUnderTest.modelParams;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.TensorType;
import org.panallama.internal.GgufFile;
import org.panallama.tiny.TinyModel;

/** What every binding must do, against the real library: start-up, devices, memory, models and vocabularies. */
@Tag("native")
class BindingContractTest {

    private static long model;
    private static long vocab;

    @BeforeAll
    static void load() {
        model = loadModel();
        vocab = BINDING.modelVocab(model);
    }

    @AfterAll
    static void free() {
        BINDING.modelFree(model);
    }

    @Test
    void tellsWhatItIs() {
        assertThat(BINDING.version()).isNotBlank();
        assertThat(BINDING.systemInfo()).contains("CPU");
        assertThat(BINDING.maxDevices()).isPositive();
        assertThat(BINDING.maxSequences()).isPositive();
        assertThat(BINDING.supportsMmap()).isTrue();
        assertThat(BINDING.timeMicros()).isPositive();
    }

    @Test
    void describesDevices() {
        assertThat(BINDING.deviceCount()).isPositive();
        long[] freeAndTotal = new long[2];
        List<String> backends = new ArrayList<>();
        for (int i = 0; i < BINDING.deviceCount(); i++) {
            long device = BINDING.device(i);
            assertThat(BINDING.deviceName(device)).isNotBlank();
            assertThat(BINDING.deviceDescription(device)).isNotBlank();
            assertThat(BINDING.deviceType(device)).isBetween(0, 4);
            assertThat(BINDING.deviceBufferType(device)).isNotZero();
            BINDING.deviceMemory(device, freeAndTotal);
            assertThat(freeAndTotal[1]).isGreaterThanOrEqualTo(freeAndTotal[0]);
            backends.add(BINDING.deviceBackend(device));
        }
        assertThat(backends).contains("CPU");
    }

    @Test
    void allocatesZeroedAlignedMemory() {
        long address = BINDING.allocate(1000);
        assertThat(address % 64).isZero();
        ByteBuffer view = BINDING.view(address, 1000);
        assertThat(view.order()).isEqualTo(ByteOrder.nativeOrder());
        byte[] content = new byte[1000];
        view.get(content);
        assertThat(content).containsOnly(0);
        view.putLong(8, 0x0123456789ABCDEFL);
        assertThat(BINDING.view(address, 16).getLong(8)).isEqualTo(0x0123456789ABCDEFL);
        BINDING.free(address);
        BINDING.free(0);
        long empty = BINDING.allocate(0);
        assertThat(empty).isNotZero();
        BINDING.free(empty);
    }

    @Test
    void loadReportsProgress() {
        List<Float> progress = new ArrayList<>();
        Thread caller = Thread.currentThread();
        long loaded = BINDING.modelLoad(path(), modelParams(), fraction -> {
            assertThat(Thread.currentThread()).isSameAs(caller);
            return progress.add(fraction);
        });
        assertThat(loaded).isNotZero();
        BINDING.modelFree(loaded);
        assertThat(progress).isNotEmpty().isSorted().allMatch(fraction -> fraction >= 0 && fraction <= 1);
        assertThat(progress.get(progress.size() - 1)).isEqualTo(1);
    }

    @Test
    void loadCanBeCancelled() {
        assertThat(BINDING.modelLoad(path(), modelParams(), fraction -> false)).isZero();
    }

    @Test
    void progressThatThrowsCancels() {
        assertThat(BINDING.modelLoad(path(), modelParams(), fraction -> {
                    throw new IllegalStateException("thrown by a progress sink, on purpose");
                }))
                .isZero();
    }

    @Test
    void loadOfMissingFileFailsAndLogs() {
        List<String> log = Collections.synchronizedList(new ArrayList<>());
        List<Integer> levels = Collections.synchronizedList(new ArrayList<>());
        BINDING.setLog((level, text) -> {
            levels.add(level);
            log.add(text);
        });
        try {
            assertThat(BINDING.modelLoad(new String[] {"/no/such/模型.gguf"}, modelParams(), null))
                    .isZero();
        } finally {
            BindingUnderTest.restoreLog();
        }
        assertThat(String.join("", log)).contains("模型.gguf");
        assertThat(levels).contains(4).allMatch(level -> level >= 1 && level <= 5);
    }

    @Test
    void logSinkThatThrowsDoesNoHarm() {
        BINDING.setLog((level, text) -> {
            throw new IllegalStateException("thrown by a log sink, on purpose");
        });
        try {
            assertThat(BINDING.modelLoad(new String[] {"/no/such/file.gguf"}, modelParams(), null))
                    .isZero();
        } finally {
            BindingUnderTest.restoreLog();
        }
    }

    @Test
    void textWithNulIsRefused() {
        assertThatThrownBy(() -> BINDING.modelLoad(new String[] {"a\0b"}, modelParams(), null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("index 1");
    }

    @Test
    void knowsTheModel() {
        assertThat(BINDING.modelDescription(model)).isNotBlank();
        assertThat(BINDING.modelParameters(model)).isBetween(13_000_000L, 14_000_000L);
        assertThat(BINDING.modelSize(model)).isBetween(26_000_000L, 27_000_000L);
        assertThat(BINDING.fileTypeName(BINDING.modelFileType(model))).contains("F16");
        assertThat(BINDING.modelLayers(model)).isPositive();
        assertThat(BINDING.modelHeads(model)).isPositive();
        assertThat(BINDING.modelHeadsKv(model)).isPositive();
        assertThat(BINDING.modelTrainContext(model)).isPositive();
        assertThat(BINDING.modelEmbedding(model))
                .isPositive()
                .isEqualTo(BINDING.modelEmbeddingInput(model))
                .isEqualTo(BINDING.modelEmbeddingOutput(model));
        assertThat(BINDING.modelSlidingWindow(model)).isZero();
        assertThat(BINDING.modelRopeType(model)).isZero();
        assertThat(BINDING.modelRopeFrequencyScale(model)).isEqualTo(1);
        assertThat(BINDING.modelHasDecoder(model)).isTrue();
        assertThat(BINDING.modelHasEncoder(model)).isFalse();
        assertThat(BINDING.modelIsRecurrent(model)).isFalse();
        assertThat(BINDING.modelIsHybrid(model)).isFalse();
        assertThat(BINDING.modelIsDiffusion(model)).isFalse();
        assertThat(BINDING.modelDecoderStartToken(model)).isEqualTo(-1);
        assertThat(BINDING.modelChatTemplate(model, "no such template")).isNull();
    }

    @Test
    void readsMetadata() {
        Map<String, String> metadata = new HashMap<>();
        for (int i = 0; i < BINDING.modelMetadataCount(model); i++) {
            metadata.put(BINDING.modelMetadataKey(model, i), BINDING.modelMetadataValue(model, i));
        }
        assertThat(metadata).containsEntry("general.architecture", "llama").containsKey("llama.expert_count");
        String template = BINDING.modelChatTemplate(model, null);
        if (template != null) {
            // Longer than the first buffer, on most models.
            assertThat(metadata).containsEntry("tokenizer.chat_template", template);
        }
    }

    @Test
    void metadataCanBeOverridden() {
        String longText = "名".repeat(42);
        long loaded = BINDING.modelLoad(
                path(),
                modelParams(
                        List.of(
                                new MetadataParam("llama.context_length", 0, 777, 0, false, ""),
                                new MetadataParam("tokenizer.ggml.add_bos_token", 2, 0, 0, false, ""),
                                new MetadataParam("general.name", 3, 0, 0, false, longText)),
                        false),
                null);
        try {
            assertThat(BINDING.modelTrainContext(loaded)).isEqualTo(777);
            assertThat(BINDING.vocabAddsBos(BINDING.modelVocab(loaded))).isFalse();
        } finally {
            BINDING.modelFree(loaded);
        }
        assertThatThrownBy(() -> BINDING.modelLoad(
                        path(),
                        modelParams(List.of(new MetadataParam("k".repeat(128), 0, 1, 0, false, "")), false),
                        null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("127");
    }

    @Test
    void tensorsCanBePlaced() {
        long cpu = BINDING.deviceBufferType(BINDING.device(BINDING.deviceCount() - 1));
        ModelParams placed = new ModelParams(
                new long[0],
                new String[] {"ffn_.*_exps"},
                new long[] {cpu},
                -1,
                1,
                1,
                1,
                0,
                new float[BINDING.maxDevices()],
                List.of(),
                false,
                false,
                false,
                false,
                false,
                false);
        long loaded = BINDING.modelLoad(path(), placed, null);
        assertThat(loaded).isNotZero();
        BINDING.modelFree(loaded);
    }

    @Test
    void loadsTheVocabularyAlone() {
        long loaded = BINDING.modelLoad(path(), modelParams(List.of(), true), null);
        assertThat(BINDING.vocabSize(BINDING.modelVocab(loaded))).isEqualTo(BINDING.vocabSize(vocab));
        BINDING.modelFree(loaded);
    }

    @Test
    void saves(@TempDir Path directory) {
        Path copy = directory.resolve("副本.gguf");
        BINDING.modelSave(model, copy.toString());
        long loaded = BINDING.modelLoad(new String[] {copy.toString()}, modelParams(), null);
        assertThat(BINDING.modelParameters(loaded)).isEqualTo(BINDING.modelParameters(model));
        BINDING.modelFree(loaded);
    }

    @Test
    void quantizes(@TempDir Path directory) {
        int fileTypeQ4K = 14;
        int typeQ6K = 14;
        int typeQ80 = 8;
        Path smaller = directory.resolve("量化.gguf");
        String input = TinyModel.path().toString();
        assertThat(BINDING.modelQuantize(
                        input,
                        smaller.toString(),
                        new QuantizeParams(fileTypeQ4K, 1, typeQ6K, typeQ80, false, true, false, false)))
                .isZero();
        Map<String, TensorType> types = new HashMap<>();
        GgufFile.read(smaller).tensors().forEach(tensor -> types.put(tensor.name(), tensor.type()));
        assertThat(types)
                .containsEntry("output.weight", TensorType.Q6_K)
                .containsEntry("token_embd.weight", TensorType.Q8_0)
                .containsEntry("blk.0.ffn_gate_exps.weight", TensorType.Q4_K);
        long loaded = BINDING.modelLoad(new String[] {smaller.toString()}, modelParams(), null);
        assertThat(BINDING.modelFileType(loaded)).isEqualTo(fileTypeQ4K);
        assertThat(BINDING.modelSize(loaded)).isLessThan(BINDING.modelSize(model) / 2);
        BINDING.modelFree(loaded);

        // A quantized model is quantized again only if that is asked for.
        String again = directory.resolve("again.gguf").toString();
        assertThat(BINDING.modelQuantize(
                        smaller.toString(), again, new QuantizeParams(7, 1, -1, -1, false, true, false, false)))
                .isNotZero();
        assertThat(BINDING.modelQuantize(
                        smaller.toString(), again, new QuantizeParams(7, 1, -1, -1, true, true, false, false)))
                .isZero();
    }

    @Test
    void quantizationOfMissingFileFails(@TempDir Path directory) {
        String output = directory.resolve("none.gguf").toString();
        assertThat(BINDING.modelQuantize(
                        "/no/such/model.gguf", output, new QuantizeParams(7, 1, -1, -1, false, true, false, false)))
                .isNotZero();
    }

    @Test
    void loraOfMissingFileFails() {
        assertThat(BINDING.loraLoad(model, "/no/such/lora.gguf")).isZero();
    }

    @Test
    void knowsTheVocabulary() {
        assertThat(BINDING.vocabType(vocab)).isPositive();
        assertThat(BINDING.vocabSize(vocab)).isPositive();
        int bos = BINDING.vocabSpecial(vocab, SpecialToken.BOS);
        int eos = BINDING.vocabSpecial(vocab, SpecialToken.EOS);
        assertThat(bos).isEqualTo(1);
        assertThat(BINDING.vocabText(vocab, bos)).isEqualTo("<s>");
        assertThat(BINDING.vocabIsControl(vocab, bos)).isTrue();
        assertThat(BINDING.vocabIsEndOfGeneration(vocab, eos)).isTrue();
        assertThat(BINDING.vocabIsEndOfGeneration(vocab, bos)).isFalse();
        assertThat(BINDING.vocabAttributes(vocab, bos)).isNotZero();
        assertThat(BINDING.vocabScore(vocab, 300)).isFinite();
        assertThat(BINDING.vocabAddsBos(vocab)).isTrue();
        assertThat(BINDING.vocabAddsEos(vocab)).isFalse();
        assertThat(BINDING.vocabAddsSep(vocab)).isFalse();
        assertThat(BINDING.vocabSuppressedTokens(vocab)).isEmpty();
        for (SpecialToken role : SpecialToken.values()) {
            assertThat(BINDING.vocabSpecial(vocab, role)).isBetween(-1, BINDING.vocabSize(vocab) - 1);
        }
    }

    @Test
    void tokenizesThePrompt() {
        assertThat(tokenize("[INST] 法国的英文名是什么？ [/INST]", true)).isEqualTo(BindingUnderTest.PROMPT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Hello, world",
                "静夜思：床前明月光，疑是地上霜。",
                "🦙 llamas 👩‍👩‍👧‍👦",
                "NUL \0 in between",
                "a\n\n\tb   c"
            })
    void tokensTurnBackIntoText(String text) {
        int[] tokens = tokenize(text, false);
        String back = new String(BINDING.detokenize(vocab, tokens, false, false), StandardCharsets.UTF_8);
        assertThat(back).isEqualTo(text);
        ByteBuffer pieces = ByteBuffer.allocate(1000);
        for (int token : tokens) {
            pieces.put(BINDING.tokenToPiece(vocab, token, false));
        }
        String joined = new String(Arrays.copyOf(pieces.array(), pieces.position()), StandardCharsets.UTF_8);
        assertThat(joined.stripLeading()).isEqualTo(text.stripLeading());
    }

    @Test
    void longResultsAreAskedForAgain() {
        String text = "一个很长的句子。".repeat(2000);
        assertThat(new String(BINDING.detokenize(vocab, tokenize(text, false), false, false), StandardCharsets.UTF_8))
                .isEqualTo(text);
    }

    @Test
    void specialTokensAreTextOrNot() {
        int[] parsed = BINDING.tokenize(vocab, "<s>".getBytes(StandardCharsets.UTF_8), false, true);
        assertThat(parsed).containsExactly(1);
        assertThat(BINDING.tokenToPiece(vocab, 1, true)).isEqualTo("<s>".getBytes(StandardCharsets.UTF_8));
        assertThat(BINDING.tokenToPiece(vocab, 1, false)).isEmpty();
        assertThat(BINDING.tokenize(vocab, "<s>".getBytes(StandardCharsets.UTF_8), false, false))
                .hasSizeGreaterThan(1);
    }

    @Test
    void appliesChatTemplates() {
        assertThat(BINDING.builtinChatTemplates()).contains("chatml", "llama2");
        byte[] prompt = BINDING.applyChatTemplate(
                "chatml", new String[] {"user", "assistant"}, new String[] {"你好", "Hi"}, true);
        assertThat(new String(prompt, StandardCharsets.UTF_8))
                .isEqualTo("<|im_start|>user\n你好<|im_end|>\n<|im_start|>assistant\nHi<|im_end|>\n"
                        + "<|im_start|>assistant\n");
        assertThat(BINDING.applyChatTemplate("unheard of", new String[] {"user"}, new String[] {"x"}, true))
                .isNull();
    }

    private static int[] tokenize(String text, boolean addSpecial) {
        return BINDING.tokenize(vocab, text.getBytes(StandardCharsets.UTF_8), addSpecial, true);
    }

    private static String[] path() {
        return new String[] {TinyModel.path().toString()};
    }
}
