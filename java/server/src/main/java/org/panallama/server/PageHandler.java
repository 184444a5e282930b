package org.panallama.server;

import java.net.URL;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ResourceHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.resource.ResourceFactory;

/** The web page, from the class path; browsers may load nothing from elsewhere, and run no script that is not a file of its. */
final class PageHandler extends Handler.Wrapper {

    private static final String POLICY =
            "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none';"
                    + " form-action 'none'; frame-ancestors 'none'";

    private static final String INDEX = "index.html";

    PageHandler() {
        URL index = PageHandler.class.getResource("page/" + INDEX);
        if (index == null) {
            return; // a build without the page
        }
        ResourceHandler files = new ResourceHandler();
        // By its URL: a class loader does not look into the packages of a module.
        String folder = index.toString().substring(0, index.toString().length() - INDEX.length());
        files.setBaseResource(ResourceFactory.of(files).newResource(folder));
        files.setDirAllowed(false);
        files.setEtags(true);
        // Browsers keep the files, and ask whether they are still the same.
        files.setCacheControl("no-cache");
        setHandler(files);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        boolean read = request.getMethod().equals("GET") || request.getMethod().equals("HEAD");
        if (!read || getHandler() == null) {
            return false;
        }
        response.getHeaders().put("Content-Security-Policy", POLICY);
        response.getHeaders().put("X-Content-Type-Options", "nosniff");
        response.getHeaders().put("Referrer-Policy", "no-referrer");
        return super.handle(request, response, callback);
    }
}
