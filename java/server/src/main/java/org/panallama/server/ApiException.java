package org.panallama.server;

import com.google.gson.JsonObject;
import org.jspecify.annotations.Nullable;

/** A request that gets an error for an answer, in the form that OpenAI's API gives it. */
final class ApiException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    final int status;
    final String type;
    final @Nullable String param;
    final @Nullable String code;
    private int retryAfterSeconds;

    ApiException(int status, String type, String message, @Nullable String param, @Nullable String code) {
        super(message);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
    }

    /** A field has a wrong value. */
    static ApiException badField(String param, String message) {
        return new ApiException(400, "invalid_request_error", message, param, "invalid_value");
    }

    /** A field is known, but cannot be honoured. */
    static ApiException unsupported(String param, String reason) {
        return new ApiException(
                400,
                "invalid_request_error",
                "'" + param + "' is not supported: " + reason,
                param,
                "unsupported_value");
    }

    /** The request as a whole is wrong. */
    static ApiException badRequest(String message, @Nullable String code) {
        return new ApiException(400, "invalid_request_error", message, null, code);
    }

    /** There is too much to do at the moment. */
    static ApiException busy(String message) {
        ApiException busy = new ApiException(429, "rate_limit_error", message, null, "rate_limit_exceeded");
        busy.retryAfterSeconds = 1;
        return busy;
    }

    /** The server cannot answer now, but later, or another one. */
    static ApiException unavailable(String message) {
        ApiException unavailable = new ApiException(503, "server_error", message, null, "unavailable");
        unavailable.retryAfterSeconds = 1;
        return unavailable;
    }

    /** What a {@code Retry-After} header says; 0 for none. */
    int retryAfterSeconds() {
        return retryAfterSeconds;
    }

    JsonObject json() {
        return Json.object("error", Json.object("message", getMessage(), "type", type, "param", param, "code", code));
    }
}
