package org.panallama.server;

import com.google.gson.JsonElement;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.jspecify.annotations.Nullable;

/** A request and its answer. On the thread that handles it alone. */
final class Exchange {

    // Who sends more slowly holds a place for nothing.
    private static final int LEAST_RATE = 1_000; // bytes a second
    private static final int GRACE_SECONDS = 10;

    private final Request request;
    private final Response response;
    private final int maxBody;
    private Runnable beforeEnd = () -> {};
    private boolean gone;
    private boolean pipelined;

    Exchange(Request request, Response response, int maxBody) {
        this.request = request;
        this.response = response;
        this.maxBody = maxBody;
        // Long prompts: nothing comes and nothing goes for a while, which is no reason to hang up.
        request.addIdleTimeoutListener(timeout -> false);
    }

    String path() {
        return Request.getPathInContext(request);
    }

    /** A parameter of the query. */
    @Nullable String parameter(String name) {
        return Request.extractQueryParameters(request).getValue(name);
    }

    /**
     * The body, which must be a JSON object.
     *
     * @throws ApiException if it is not, or is too long
     */
    Fields json() {
        return Fields.of(body(), "");
    }

    /** The body, which must be a JSON array of objects. */
    List<Fields> jsonArray() {
        List<Fields> elements = new ArrayList<>();
        for (JsonElement element : Fields.list(body(), "body", Integer.MAX_VALUE)) {
            elements.add(Fields.of(element, "[" + elements.size() + "]"));
        }
        return elements;
    }

    private JsonElement body() {
        if (request.getLength() > maxBody) {
            throw tooLong();
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] buffer = new byte[1 << 16];
        long begun = System.nanoTime();
        InputStream in =
                Content.Source.asInputStream(request); // closing it would fail a request that is refused half-way
        try {
            for (int read; (read = in.read(buffer)) >= 0; ) {
                body.write(buffer, 0, read);
                if (body.size() > maxBody) {
                    throw tooLong();
                }
                long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
                if (seconds > GRACE_SECONDS && body.size() / seconds < LEAST_RATE) {
                    throw tooSlow();
                }
            }
        } catch (IOException e) {
            throw new ClientGoneException("the request's body did not come", e);
        }
        return Json.parse(body.toByteArray());
    }

    private ApiException tooSlow() {
        header("Connection", "close");
        return new ApiException(
                408, "invalid_request_error", "The request's body comes too slowly.", null, "request_timeout");
    }

    private ApiException tooLong() {
        header("Connection", "close");
        return new ApiException(
                413,
                "invalid_request_error",
                "The request's body is longer than " + maxBody + " bytes.",
                null,
                "request_too_large");
    }

    void header(String name, String value) {
        response.getHeaders().put(name, value);
    }

    void status(int status) {
        response.setStatus(status);
    }

    boolean isCommitted() {
        return response.isCommitted();
    }

    void send(JsonElement json) {
        send(200, "application/json", Json.bytes(json));
    }

    void send(int status, String type, byte[] body) {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
        if (!response.getHeaders().contains(HttpHeader.CACHE_CONTROL)) {
            response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
        }
        write(body, true);
    }

    /** Runs the action before the end of the answer goes out: what a client does after that finds it done. */
    void beforeEnd(Runnable action) {
        beforeEnd = action;
    }

    void write(byte[] bytes, boolean last) {
        if (last) {
            beforeEnd.run();
        }
        try {
            Content.Sink.write(response, last, ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            gone = true;
            throw new ClientGoneException("the client does not take the answer", e);
        }
    }

    /** Ends a connection that nobody listens at any more. */
    void hangUp() {
        request.getConnectionMetaData().getConnection().getEndPoint().close();
    }

    /**
     * Whether the client has closed the connection while its answer is being computed. Nothing else tells: as long as a request is
     * handled, nobody reads from the connection.
     */
    boolean isClientGone() {
        if (gone || pipelined) {
            return gone;
        }
        Connection connection = request.getConnectionMetaData().getConnection();
        EndPoint endPoint = connection.getEndPoint();
        ByteBuffer early = ByteBuffer.allocate(1024).limit(0); // in Jetty's flush mode: empty, with room behind
        try {
            gone = !endPoint.isOpen() || endPoint.fill(early) < 0;
            if (early.hasRemaining()) {
                // The beginning of the next request, sent without waiting for the answer: give it back, and look no
                // more.
                pipelined = true;
                ((Connection.UpgradeTo) connection).onUpgradeTo(early);
            }
        } catch (IOException e) {
            gone = true;
        }
        return gone;
    }
}
