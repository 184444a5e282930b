/** The binding to llama.cpp through Java's Foreign Function and Memory API. */
module org.panallama.ffm {
    requires org.panallama;
    requires static org.jspecify;

    provides org.panallama.spi.BindingProvider with
            org.panallama.ffm.FfmBindingProvider;
}
