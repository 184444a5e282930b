/** The binding to llama.cpp through JNA. */
@SuppressWarnings("requires-automatic") // JNA's jar says its module's name; its other jar, jna-jpms, has a descriptor.
module org.panallama.jna {
    requires com.sun.jna;
    requires org.panallama;
    requires static org.jspecify;

    // JNA reads structures and finds callbacks and functions by reflection.
    opens org.panallama.jna to
            com.sun.jna;

    provides org.panallama.spi.BindingProvider with
            org.panallama.jna.JnaBindingProvider;
}
