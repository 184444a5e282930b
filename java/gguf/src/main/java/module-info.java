/** GGUF files in pure Java. */
module org.panallama.gguf {
    requires static transitive org.jspecify;

    exports org.panallama.gguf;
}
