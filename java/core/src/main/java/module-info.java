/** The Java API over llama.cpp, and the interface that bindings implement. */
@SuppressWarnings("module") // The modules that see the internals are compiled after this one.
module org.panallama {
    requires java.management;
    requires jdk.management;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports org.panallama;
    exports org.panallama.fit;
    exports org.panallama.spi;
    exports org.panallama.internal to
            org.panallama.cli,
            org.panallama.engine,
            org.panallama.server,
            org.panallama.tools;

    uses org.panallama.spi.BindingProvider;
    uses org.panallama.spi.NativesModule;
}
