package org.panallama.server;

import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Paths that nothing else answers. Jetty itself would hang up on those who still send. */
final class NotFoundHandler extends Handler.Abstract {

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        String path = Request.getPathInContext(request);
        ApiException error =
                new ApiException(404, "invalid_request_error", "There is nothing at " + path + ".", null, "not_found");
        ErrorResponses.send(response, error, RestOfRequest.before(request, callback));
        return true;
    }
}
