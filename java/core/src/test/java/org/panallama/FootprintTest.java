package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Iterator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.panallama.tiny.TinyModel;

/** What Java adds to llama.cpp's memory. */
@Tag("native")
class FootprintTest {

    private static final int WARM_UP = 200;
    private static final int TOKENS = 1000;

    /** A piece is a string of some 48 bytes; it is copied once into the text so far, which doubles when it is full. */
    private static final long BYTES_PER_TOKEN = 256;

    private static final long MEGA = 1_000_000;

    @Test
    void aTokenAllocatesNothingButItsText() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(WARM_UP + TOKENS)
                .ignoreEndOfGeneration(true)
                .build();
        try (Model model = Model.load(TinyModel.path());
                Context context = model.newContext(
                        ContextOptions.builder().length(2048).threads(1).build());
                Sampler sampler = Sampler.greedy()) {
            Generation generation = context.generate("[INST] 法国的英文名是什么？ [/INST]", sampler, options);
            Iterator<String> pieces = generation.iterator();
            while (generation.usage().generatedTokens() < WARM_UP) {
                pieces.next();
            }
            int before = generation.usage().generatedTokens();
            long allocated = threads.getCurrentThreadAllocatedBytes();
            while (pieces.hasNext()) {
                pieces.next();
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
            assertThat(allocated / (generation.usage().generatedTokens() - before))
                    .isLessThan(BYTES_PER_TOKEN);
        }
    }

    @Test
    void aLoadedModelTakesLittleOfTheHeap() {
        long before = heapInUse();
        try (Model model = Model.load(TinyModel.path());
                Context context = model.newContext()) {
            assertThat(heapInUse() - before).isLessThan(10 * MEGA);
            assertThat(context.isClosed()).isFalse();
        }
    }

    private static long heapInUse() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
