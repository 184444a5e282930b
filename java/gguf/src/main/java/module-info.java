/** GGUF files in pure Java. */
@SuppressWarnings("module") // The modules that see the internals are compiled after this one.
module org.panallama.gguf {
    requires static transitive org.jspecify;

    exports org.panallama.gguf;
    exports org.panallama.gguf.internal to
            org.panallama.tools;
}
