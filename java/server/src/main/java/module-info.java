/** OpenAI's HTTP API over GGUF models, and a web page. */
@SuppressWarnings("requires-automatic") // Micrometer has no descriptors, but its jars say their modules' names.
module org.panallama.server {
    requires transitive org.panallama;
    requires org.panallama.engine;
    requires com.google.gson;
    requires micrometer.core;
    requires micrometer.registry.prometheus;
    requires org.eclipse.jetty.compression.gzip;
    requires org.eclipse.jetty.compression.server;
    requires org.eclipse.jetty.server;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports org.panallama.server;
}
