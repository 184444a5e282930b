package org.panallama.server;

import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Callback;

/**
 * Reads and drops what is left of a request that has its answer, a refusal mostly. A connection that is closed with something
 * unread is reset, and a client that is still sending may lose the answer by that (RFC 9112, section 9.6).
 */
final class RestOfRequest implements Runnable {

    private static final long MOST_SECONDS = 30; // who is still sending then may lose the answer

    private final Request request;
    private final Callback then;
    private final long since = System.nanoTime();

    private RestOfRequest(Request request, Callback then) {
        this.request = request;
        this.then = then;
    }

    /** A callback for the end of the answer, which calls the other one when the request has come to its end, too. */
    static Callback before(Request request, Callback then) {
        boolean awaited = request.getHeaders().contains(HttpHeader.EXPECT); // sent when it is asked for only
        return awaited ? then : Callback.from(new RestOfRequest(request, then), then::failed);
    }

    @Override
    public void run() {
        while (System.nanoTime() - since < TimeUnit.SECONDS.toNanos(MOST_SECONDS)) {
            Content.Chunk chunk = request.read();
            if (chunk == null) {
                request.demand(this); // until the idle timeout
                return;
            }
            if (Content.Chunk.isFailure(chunk)) {
                break;
            }
            chunk.release();
            if (chunk.isLast()) {
                break;
            }
        }
        then.succeeded();
    }
}
