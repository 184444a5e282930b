package org.panallama.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Rules of Reactive Streams that a subscriber's own behaviour puts to the test. */
class PieceSubscriptionTest {

    private final Completion completion = new Completion(Runnable::run, () -> {});
    private final List<String> seen = new ArrayList<>();

    private void subscribe(BiConsumer<Flow.Subscription, Piece> onNext, long first) {
        completion.publisher().subscribe(new Flow.Subscriber<>() {
            private Flow.Subscription subscription;

            @Override
            public void onSubscribe(Flow.Subscription given) {
                subscription = given;
                if (first == 0) {
                    given.cancel();
                } else {
                    given.request(first);
                }
            }

            @Override
            public void onNext(Piece piece) {
                seen.add(piece.text());
                onNext.accept(subscription, piece);
            }

            @Override
            public void onError(Throwable thrown) {
                seen.add(thrown.getMessage());
            }

            @Override
            public void onComplete() {
                seen.add("complete");
            }
        });
    }

    private void add(String text) {
        completion.add(new Piece(text, List.of()));
    }

    @Test
    void whoThrowsIsNotToldAnyMore() {
        subscribe(
                (subscription, piece) -> {
                    throw new IllegalStateException("no more");
                },
                Long.MAX_VALUE);
        add("a");
        add("b");
        assertThat(seen).containsExactly("a");
    }

    @Test
    void whoCancelsAtOnceIsToldNothing() {
        subscribe((subscription, piece) -> {}, 0);
        add("a");
        assertThat(seen).isEmpty();
    }

    @Test
    void whoAsksForOneAfterTheOtherGetsAllInOrderAndTheFailure() {
        subscribe((subscription, piece) -> subscription.request(1), 1);
        add("a");
        add("b");
        completion.fail(new IllegalStateException("broken"));
        assertThat(seen).containsExactly("a", "b", "broken");
    }

    @Test
    void whoAsksForLessThanOneIsToldSo() {
        subscribe((subscription, piece) -> subscription.request(-1), 2);
        add("a");
        add("b");
        assertThat(seen).containsExactly("a", "request(-1), must be for 1 or more");
    }
}
