package org.panallama;

/** Whether a model calls tools. */
public enum ToolChoice {
    /** The model decides. */
    AUTO("auto"),
    /** It must call at least one. */
    REQUIRED("required"),
    /** It must not; a template with a place for tools shows them to it all the same. */
    NONE("none");

    private final String code;

    ToolChoice(String code) {
        this.code = code;
    }

    String code() {
        return code;
    }
}
