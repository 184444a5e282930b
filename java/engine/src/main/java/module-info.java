/** Many requests over one context. */
module org.panallama.engine {
    requires transitive org.panallama;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports org.panallama.engine;
}
