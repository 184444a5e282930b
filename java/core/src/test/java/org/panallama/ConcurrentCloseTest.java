package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.internal.AdapterWriter;
import org.panallama.spi.Binding;

/** Another thread closes what a call needs when that has just begun to use it: the close waits. */
@Tag("native")
class ConcurrentCloseTest {

    @TempDir
    Path folder;

    private Model model;

    @BeforeEach
    void load() {
        model = Tiny.model();
    }

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void aModelWaitsForAContextThatIsBeingOpened() throws Exception {
        Close close = new Close(model::close);
        Context context = open(close.during("memory"));
        close.join();
        assertThat(context.isClosed()).isTrue();
    }

    @Test
    void aModelWaitsForAContextThatIsBeingClosed() throws Exception {
        Close close = new Close(model::close);
        open(close.during("contextFree")).close();
        close.join();
        assertThat(model.isClosed()).isTrue();
    }

    @Test
    void anAdapterWaitsForAContextThatIsTakingIt() throws Exception {
        LoraAdapter adapter = model.loadLora(new AdapterWriter(1)
                .half("blk.0.ffn_gate_inp.weight.lora_a", List.of(256L, 1L), new float[256])
                .half("blk.0.ffn_gate_inp.weight.lora_b", List.of(1L, 8L), new float[8])
                .write(folder.resolve("adapter.gguf")));
        Close close = new Close(adapter::close);
        try (Context context = open(close.during("contextSetLora"))) {
            context.setLora(adapter);
            close.join();
            context.decode(1, 2, 3);
        }
    }

    private Context open(Binding binding) {
        return new Context(model, model, binding, Tiny.context().build());
    }

    /** A close on a thread of its own. */
    private static final class Close {

        private final Thread thread;

        Close(Runnable close) {
            thread = new Thread(close, "close");
        }

        /** The binding, on which the close begins when a function is called; the call itself goes on when the close waits. */
        Binding during(String function) {
            Binding binding = Llama.binding();
            return (Binding) Proxy.newProxyInstance(
                    Binding.class.getClassLoader(), new Class<?>[] {Binding.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals(function) && thread.getState() == Thread.State.NEW) {
                            thread.start();
                            awaitWaiting();
                        }
                        return call(binding, method, arguments);
                    });
        }

        private void awaitWaiting() {
            while (thread.getState() == Thread.State.RUNNABLE) {
                Thread.onSpinWait();
            }
            assertThat(thread.getState()).as("the close does not wait").isNotEqualTo(Thread.State.TERMINATED);
        }

        private static Object call(Binding binding, Method method, Object[] arguments) throws Throwable {
            try {
                return method.invoke(binding, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }

        void join() throws InterruptedException {
            thread.join();
        }
    }
}
