package org.panallama.cli;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** How a run of the program ended. */
record Result(int status, String out, String err) {

    /** The prompt whose greedy answer is {@code France}. */
    static final String FRANCE = "[INST] 法国的英文名是什么？ [/INST]";

    /** A run within this JVM. */
    static Result of(String... args) {
        return withInput("", args);
    }

    static Result withInput(String input, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        ByteArrayInputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
        int status = new Program(Streams.of(in, out, err)).run(args);
        return new Result(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    JsonObject json() {
        JsonElement element = JsonParser.parseString(out);
        return element.getAsJsonObject();
    }
}
