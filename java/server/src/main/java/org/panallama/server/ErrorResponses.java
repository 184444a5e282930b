package org.panallama.server;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Errors that Jetty finds, malformed HTTP for one, in OpenAI's form. */
final class ErrorResponses extends ErrorHandler {

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        int status = response.getStatus();
        ApiException error = new ApiException(
                status,
                status < 500 ? "invalid_request_error" : "server_error",
                HttpStatus.getMessage(status) + ".",
                null,
                null);
        send(response, error, callback);
        return true;
    }

    /** Answers with an error, where there is no {@link Exchange}. */
    static void send(Response response, ApiException error, Callback callback) {
        response.setStatus(error.status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
        response.write(true, ByteBuffer.wrap(Json.bytes(error.json())), callback);
    }
}
