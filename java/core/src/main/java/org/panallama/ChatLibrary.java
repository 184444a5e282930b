package org.panallama;

import org.jspecify.annotations.Nullable;

/** Whether {@code libpanallama-chat} is there. */
final class ChatLibrary {

    private ChatLibrary() {}

    static @Nullable String unavailabilityCause() {
        return Llama.binding().chatUnavailabilityCause();
    }

    /**
     * @param what needs it, the beginning of a sentence
     * @throws LlamaException if it is missing
     */
    static void require(String what) {
        String cause = unavailabilityCause();
        if (cause != null) {
            throw new LlamaException(what + " need libpanallama-chat, which is not usable here: " + cause
                    + ". It comes with Panallama's own natives for Linux; a folder given with -Dpanallama.native.dir must"
                    + " hold it beside libllama-common.");
        }
    }
}
