package org.panallama;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Json;
import org.panallama.internal.SchemaRules;

/**
 * A <a href="https://json-schema.org/draft/2020-12">JSON schema</a> that an answer has to follow, held by a grammar while it is
 * generated. Immutable and thread-safe.
 *
 * <p>Held are: {@code type}, {@code properties}, {@code required}, {@code additionalProperties}, {@code items}, {@code prefixItems},
 * {@code minItems}, {@code maxItems}, {@code minLength}, {@code maxLength}, {@code pattern}, {@code format} (dates, times, UUIDs),
 * bounds of integers, {@code enum}, {@code const}, {@code anyOf}, {@code oneOf} (as {@code anyOf}), {@code allOf} of objects, and
 * {@code $ref} within the schema. Properties come in the schema's order; other ones do not come unless
 * {@code additionalProperties} allows them. Everything else is refused, never passed over.
 */
public final class JsonSchema {

    private final Map<String, @Nullable Object> schema;
    private final String json;

    private JsonSchema(String json, boolean relax) {
        schema = SchemaRules.apply(Json.parseObject(json), relax);
        this.json = Json.write(schema);
    }

    /**
     * A schema that is held to the letter.
     *
     * @throws IllegalArgumentException if the text is not a JSON schema, or has a keyword that a grammar cannot hold; the message
     *     names the place and the keyword
     */
    public static JsonSchema of(String json) {
        return new JsonSchema(json, false);
    }

    /**
     * A schema without the keywords that a grammar cannot hold: answers may break those.
     *
     * @throws IllegalArgumentException if the text is not a JSON schema
     */
    public static JsonSchema relaxed(String json) {
        return new JsonSchema(json, true);
    }

    /** The schema as it is held. */
    public String json() {
        return json;
    }

    Map<String, @Nullable Object> schema() {
        return schema;
    }

    /**
     * The grammar of the JSON texts that follow the schema.
     *
     * @throws LlamaException if llama.cpp cannot make one, or {@code libpanallama-chat} is missing
     */
    public Grammar grammar() {
        return Grammar.of(rules(json));
    }

    /** The grammar of a schema's text. */
    static String rules(String json) {
        ChatLibrary.require("Grammars of JSON schemas");
        try {
            return Llama.binding().chatSchemaToGrammar(json);
        } catch (IllegalArgumentException e) {
            throw new LlamaException(
                    "llama.cpp makes no grammar of the JSON schema " + json + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return json;
    }
}
