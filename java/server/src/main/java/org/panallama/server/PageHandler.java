package org.panallama.server;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.content.HttpContent;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ResourceHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.resource.ResourceFactory;
import org.jspecify.annotations.Nullable;

/** The web page, from the class path; browsers may load nothing from elsewhere, and run no script that is not a file of its. */
final class PageHandler extends Handler.Wrapper {

    private static final String POLICY =
            "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final String INDEX = "index.html";

    PageHandler() {
        URL index = PageHandler.class.getResource("page/" + INDEX);
        if (index == null) {
            return; // a build without the page
        }
        ResourceHandler files = new Files();
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

    /** Files told apart by what is in them: in a jar, all have the same time, and another version may have the same size. */
    private static final class Files extends ResourceHandler {

        private final Map<String, HttpField> tags = new ConcurrentHashMap<>();

        @Override
        protected HttpContent.Factory newHttpContentFactory(ByteBufferPool.Sized pool) {
            HttpContent.Factory usual = super.newHttpContentFactory(pool);
            return path -> {
                HttpContent content = usual.getContent(path);
                if (content == null || content.getResource().isDirectory()) {
                    return content;
                }
                HttpField tag = tags.get(path);
                if (tag == null) {
                    tag = tag(content);
                    tags.put(path, tag);
                }
                return new Tagged(content, tag);
            };
        }

        private static HttpField tag(HttpContent content) throws IOException {
            try (InputStream in = content.getResource().newInputStream()) {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(in.readAllBytes());
                return new HttpField(HttpHeader.ETAG, "W/\"" + HexFormat.of().formatHex(digest, 0, 16) + "\"");
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError("every JDK has SHA-256", e);
            }
        }
    }

    private static final class Tagged extends HttpContent.Wrapper {

        private final HttpField tag;

        Tagged(HttpContent content, HttpField tag) {
            super(content);
            this.tag = tag;
        }

        @Override
        public HttpField getETag() {
            return tag;
        }

        @Override
        public String getETagValue() {
            return tag.getValue();
        }

        @Override
        public @Nullable HttpField getLastModified() {
            return null;
        }

        @Override
        public @Nullable Instant getLastModifiedInstant() {
            return null;
        }
    }
}
