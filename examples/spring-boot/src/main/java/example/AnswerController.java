package example;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.panallama.ChatMessage;
import org.panallama.ChatPrompt;
import org.panallama.ChatRequest;
import org.panallama.ChatTemplate;
import org.panallama.ContextFullException;
import org.panallama.Sampler;
import org.panallama.Usage;
import org.panallama.engine.Completion;
import org.panallama.engine.Engine;
import org.panallama.engine.EngineRequest;
import org.panallama.engine.Piece;
import org.panallama.engine.QueueFullException;
import org.panallama.engine.Result;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Streams answers as server-sent events: {@code piece} for each piece of text, then {@code end}. */
@RestController
class AnswerController {

    record Question(String question, Integer maxTokens) {}

    /** As JSON, since a line of an event loses the space that it begins with. */
    record TextPiece(String text) {}

    record End(String finishReason, Usage usage) {}

    private static final int MAX_TOKENS = 512;
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    private final Engine engine;
    private final ChatTemplate template;
    private final AsyncTaskExecutor executor;

    AnswerController(Engine engine, AsyncTaskExecutor executor) {
        this.engine = engine;
        this.template = ChatTemplate.of(engine.model());
        this.executor = executor;
    }

    @PostMapping(path = "/answers", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    SseEmitter answer(@RequestBody Question question) {
        if (question.question() == null || question.question().isBlank()) {
            throw new IllegalArgumentException("question is empty");
        }
        ChatPrompt prompt = template.prompt(
                ChatRequest.builder(List.of(ChatMessage.user(question.question()))).build());
        Completion completion = engine.submit(EngineRequest.builder(
                        prompt.tokens(engine.model().vocab()),
                        Sampler.builder().temperature(0.2f).topP(0.9f).build())
                .stop(prompt.stop())
                .maxTokens(question.maxTokens() == null ? MAX_TOKENS : question.maxTokens())
                .deadline(DEADLINE)
                .stripLeadingSpace(true)
                .build());
        SseEmitter emitter = new SseEmitter(0L); // the engine ends it at the deadline
        emitter.onError(gone -> completion.cancel());
        executor.execute(() -> stream(completion, emitter));
        return emitter;
    }

    private static void stream(Completion completion, SseEmitter emitter) {
        try {
            for (Piece piece : completion) {
                emitter.send(SseEmitter.event().name("piece").data(new TextPiece(piece.text())));
            }
            Result result = completion.join();
            emitter.send(
                    SseEmitter.event().name("end").data(new End(result.finishReason().name(), result.usage())));
            emitter.complete();
        } catch (IOException | RuntimeException e) {
            completion.cancel(); // the client has gone, most likely: nobody reads the rest
            emitter.completeWithError(e);
        }
    }

    @ExceptionHandler({IllegalArgumentException.class, ContextFullException.class})
    ProblemDetail badRequest(Exception e) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, e.getMessage());
    }

    @ExceptionHandler(QueueFullException.class)
    ProblemDetail busy(Exception e) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.SERVICE_UNAVAILABLE, e.getMessage());
    }
}
