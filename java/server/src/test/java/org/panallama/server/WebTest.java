package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page's headers, HTTPS, and adapters' strengths. */
class WebTest {

    private static final String PASSWORD = "secret";

    @Test
    void thePageMayLoadNothingFromElsewhere() throws IOException {
        try (LlamaServer server = TinyServer.builder().start()) {
            Http http = new Http(server);
            HttpResponse<String> page = http.get("/");
            assertThat(page.statusCode()).isEqualTo(200);
            assertThat(page.headers().firstValue("Content-Security-Policy"))
                    .hasValueSatisfying(policy ->
                            assertThat(policy).startsWith("default-src 'self';").doesNotContain("unsafe", "img-src"));
            assertThat(page.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
            assertThat(page.headers().firstValue("Cache-Control")).hasValue("no-cache");
            String etag = page.headers().firstValue("ETag").orElseThrow();
            assertThat(http.send(http.request("/").header("If-None-Match", etag).build())
                            .statusCode())
                    .isEqualTo(304);
            assertThat(page.headers().firstValue("Last-Modified")).isEmpty(); // all files in a jar have the same
            assertThat(http.get("/js/app.js").headers().firstValue("ETag").orElseThrow())
                    .isNotEqualTo(etag);
            HttpResponse<byte[]> zipped = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(server.uri().resolve("/"))
                                    .header("Accept-Encoding", "gzip")
                                    .build(),
                            BodyHandlers.ofByteArray());
            assertThat(zipped.headers().firstValue("Content-Encoding")).hasValue("gzip");
            byte[] unzipped = new GZIPInputStream(new ByteArrayInputStream(zipped.body())).readAllBytes();
            assertThat(new String(unzipped, StandardCharsets.UTF_8)).isEqualTo(page.body());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void httpsWithPemAndPkcs12(@TempDir Path folder) throws Exception {
        Path store = folder.resolve("store.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "SAN=dns:localhost,ip:127.0.0.1",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD)
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
        KeyStore keys = TlsFiles.pkcs12(store, PASSWORD.toCharArray());
        Path certificate = pem(
                folder.resolve("cert.pem"),
                "CERTIFICATE",
                keys.getCertificate("server").getEncoded());
        Path key = pem(
                folder.resolve("key.pem"),
                "PRIVATE KEY",
                keys.getKey("server", PASSWORD.toCharArray()).getEncoded());
        HttpClient client = HttpClient.newBuilder().sslContext(trusting(keys)).build();
        try (LlamaServer server = TinyServer.builder().tls(store, PASSWORD).start()) {
            assertThat(health(client, server)).contains("ok");
        }
        try (LlamaServer server = TinyServer.builder().tls(certificate, key).start()) {
            assertThat(server.uri().getScheme()).isEqualTo("https");
            assertThat(health(client, server)).contains("ok");
        }
        assertThatThrownBy(() -> TinyServer.builder().tls(key, certificate))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pem");
        assertThatThrownBy(() -> TinyServer.builder().tls(store, "wrong"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("store.p12");
    }

    private static Path pem(Path file, String type, byte[] der) throws IOException {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(file, "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n");
    }

    private static SSLContext trusting(KeyStore keys) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("server", keys.getCertificate("server"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private static String health(HttpClient client, LlamaServer server) throws IOException, InterruptedException {
        return client.send(
                        HttpRequest.newBuilder(server.uri().resolve("/health")).build(), BodyHandlers.ofString())
                .body();
    }
}
