package org.panallama.jna;

import org.jspecify.annotations.Nullable;

/** The functions of {@code libpanallama-chat}, mapped as {@link LlamaFunctions} are; the library is opened on first use. */
final class ChatFunctions {

    private static final String LIBRARY = System.mapLibraryName("panallama-chat");

    private ChatFunctions() {}

    /** Holds the outcome of the one attempt to open the library. */
    private static final class Holder {
        static final @Nullable String CAUSE;

        static {
            String cause = null;
            try {
                LlamaLibraries.bindBeside(LIBRARY, ChatFunctions.class);
            } catch (UnsatisfiedLinkError e) {
                cause = LIBRARY + " does not load: " + e.getMessage();
            }
            CAUSE = cause;
        }
    }

    /** Why there are no functions, or {@code null} if there are. */
    static @Nullable String unavailabilityCause() {
        return Holder.CAUSE;
    }

    /** @throws IllegalStateException if the library is not there */
    static void require() {
        if (Holder.CAUSE != null) {
            throw new IllegalStateException(Holder.CAUSE);
        }
    }

    static native void panallama_chat_free(long text);

    static native int panallama_chat_templates_open(
            long model, byte @Nullable [] source, byte[] bos, byte[] eos, long[] templates, long[] result);

    static native void panallama_chat_templates_close(long templates);

    static native int panallama_chat_apply(long templates, byte[] request, long[] result);

    static native int panallama_chat_parser_open(byte[] syntax, long[] parser, long[] result);

    static native void panallama_chat_parser_close(long parser);

    static native int panallama_chat_parse(long parser, byte[] text, int partial, long[] result);

    static native int panallama_chat_schema_to_grammar(byte[] schema, long[] result);
}
