/** A small trained model. */
module org.panallama.tiny {
    exports org.panallama.tiny;
}
