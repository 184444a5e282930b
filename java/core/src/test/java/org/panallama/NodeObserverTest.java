package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("native")
class NodeObserverTest {

    private static final int[] PROMPT = {1, 261, 262, 2425, 580, 2537, 481, 2440, 263, 262, 2425};
    private static final int EXPERTS_USED = 2;

    private static Model model;

    @BeforeAll
    static void load() {
        model = Tiny.model();
    }

    @AfterAll
    static void closeModel() {
        model.close();
    }

    /** An observer of two functions. */
    private record Observer(Predicate<GraphNode> wanted, Consumer<GraphNode> watcher) implements NodeObserver {

        @Override
        public boolean wants(GraphNode node) {
            return wanted.test(node);
        }

        @Override
        public void computed(GraphNode node) {
            watcher.accept(node);
        }
    }

    private static Context observed(Predicate<GraphNode> wanted, Consumer<GraphNode> watcher) {
        return model.newContext(
                Tiny.context().observer(new Observer(wanted, watcher)).build());
    }

    @Test
    void readsWhichExpertsWereChosen() {
        Set<Integer> experts = new HashSet<>();
        Consumer<GraphNode> watcher = node -> {
            GraphNode ids = node.source(2);
            assertThat(ids.type()).isEqualTo(TensorType.I32);
            assertThat(ids.dimension(0)).isEqualTo(EXPERTS_USED);
            ByteBuffer bytes = ByteBuffer.allocateDirect((int) ids.bytes()).order(ByteOrder.nativeOrder());
            ids.read(bytes, 0);
            for (int token = 0; token < ids.dimension(1); token++) {
                for (int i = 0; i < EXPERTS_USED; i++) {
                    experts.add(bytes.getInt((int) (token * ids.stride(1) + i * ids.stride(0))));
                }
            }
        };
        try (Context context = observed(node -> node.operation().equals("MUL_MAT_ID"), watcher)) {
            context.decode(PROMPT);
        }
        assertThat(experts).hasSizeGreaterThan(EXPERTS_USED).allMatch(expert -> expert >= 0 && expert < 8);
    }

    /** But for the last digits: what is observed node by node is not computed in one, as our kernels do with some. */
    @Test
    void observingChangesNoLogits() {
        float[] unobserved;
        try (Context context = model.newContext(Tiny.context().build())) {
            context.decode(PROMPT);
            unobserved = context.logits(-1).toArray();
        }
        try (Context context = observed(node -> true, node -> {})) {
            context.decode(PROMPT);
            assertThat(context.logits(-1).toArray()).containsExactly(unobserved, within(1e-3f));
        }
    }

    @Test
    void whatTheObserverThrowsComesOutOfDecode() {
        boolean[] fail = {true};
        Consumer<GraphNode> watcher = node -> {
            if (fail[0]) {
                throw new IllegalArgumentException("enough of " + node.operation());
            }
        };
        try (Context context = observed(node -> node.operation().equals("MUL_MAT"), watcher)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> context.decode(PROMPT))
                    .withMessage("enough of MUL_MAT");
            fail[0] = false;
            context.memory().clear();
            context.decode(PROMPT);
        }
    }

    @Test
    void nodesAreGoneAfterTheCall() {
        List<GraphNode> kept = new ArrayList<>();
        try (Context context = observed(kept::add, node -> {})) {
            context.decode(PROMPT);
            assertThatIllegalStateException().isThrownBy(() -> kept.get(0).name());
        }
    }

    @Test
    void misuseIsRefused() {
        ByteBuffer direct = ByteBuffer.allocateDirect(16);
        assertRefused(node -> node.read(direct, 0), node -> {}, IllegalStateException.class);
        assertRefused(node -> {}, node -> node.read(ByteBuffer.allocate(16), 0), IllegalArgumentException.class);
        assertRefused(node -> {}, node -> node.read(direct, -1), IllegalArgumentException.class);
        assertRefused(node -> {}, node -> node.read(direct, node.bytes() - 15), IllegalArgumentException.class);
        assertRefused(node -> {}, node -> node.source(10), IndexOutOfBoundsException.class);
        assertRefused(node -> {}, node -> node.dimension(4), IndexOutOfBoundsException.class);
    }

    private static void assertRefused(
            Consumer<GraphNode> asked, Consumer<GraphNode> computed, Class<? extends Exception> exception) {
        Predicate<GraphNode> wanted = node -> {
            asked.accept(node);
            return true;
        };
        try (Context context = observed(wanted, computed)) {
            assertThatThrownBy(() -> context.decode(PROMPT)).isInstanceOf(exception);
        }
    }

    @Test
    void theContextCannotBeUsedFromInside() {
        Context[] itself = new Context[1];
        try (Context context = observed(node -> true, node -> itself[0].decode(1))) {
            itself[0] = context;
            assertThatIllegalStateException()
                    .isThrownBy(() -> context.decode(PROMPT))
                    .withMessageContaining("must not use the context");
        }
    }
}
