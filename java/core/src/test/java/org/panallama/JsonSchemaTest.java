package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.tiny.TinyModel;

@Tag("native")
class JsonSchemaTest {

    private static final String COUNTRY = """
            {"type": "object", "properties": {
               "name": {"type": "string", "minLength": 1, "maxLength": 8},
               "code": {"type": "string", "pattern": "^[A-Z]{2}$"},
               "size": {"type": "integer", "minimum": 1, "maximum": 20},
               "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "maxItems": 2}},
             "required": ["name", "code", "size", "tags"], "additionalProperties": false}
            """;

    @Test
    void holdsAnAnswer() {
        Sampler sampler = Sampler.builder()
                .temperature(2)
                .seed(7)
                .grammar(JsonSchema.of(COUNTRY).grammar())
                .build();
        try (Model model = Model.load(TinyModel.path());
                Context context = model.newContext(
                        ContextOptions.builder().length(512).threads(1).build());
                sampler) {
            for (int i = 0; i < 5; i++) {
                String answer = context.generate(
                                "[INST] 法国 [/INST]",
                                sampler,
                                GenerationOptions.builder().maxTokens(200).build())
                        .text();
                assertThat(answer.strip())
                        .matches("(?s)\\{\\s*\"name\"\\s*:\\s*\"([^\"\\\\]|\\\\.[0-9a-f]{0,4}){1,8}\"\\s*,"
                                + "\\s*\"code\"\\s*:\\s*\"[A-Z]{2}\"\\s*,\\s*\"size\"\\s*:\\s*(1?[0-9]|20)\\s*,"
                                + "\\s*\"tags\"\\s*:\\s*\\[\\s*\"[ab]\"\\s*,\\s*\"[ab]\"\\s*\\]\\s*\\}");
            }
        }
    }

    /** llama.cpp takes two definitions for one whose names it cannot tell apart. */
    @Test
    void definitionsAreToldApartWhereverTheyStand() {
        JsonSchema schema = JsonSchema.of(
                "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#/$defs/城市\"}, \"b\":"
                        + " {\"$ref\": \"#/$defs/国家\"}, \"c\": {\"$ref\": \"#/properties/d/$defs/城市\"}, \"d\": {\"$ref\": \"#/x-own/e\","
                        + " \"$defs\": {\"城市\": {\"pattern\": \"^\\\\d$\"}}}}, \"required\": [\"a\", \"b\", \"c\", \"d\"],"
                        + " \"$defs\": {\"城市\": {\"const\": 1}, \"国家\": {\"const\": 2}}, \"x-own\": {\"e\": {\"const\": 4}}}");
        assertThat(schema.grammar().rules()).contains("\"1\"", "\"2\"", "\"4\"", "[0-9]");
        assertThat(schema.json())
                .contains("\"a\":{\"$ref\":\"#/$defs/城市\"}", "\"c\":{\"$ref\":\"#/$defs/城市-3\"}")
                .doesNotContain("x-own");
        assertThat(JsonSchema.of("{\"type\": \"array\", \"items\": {\"$ref\": \"#\"}}")
                        .grammar()
                        .rules())
                .contains("root ::=");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\": \"string\", \"pattern\": \"^a.*b$\"}",
                "{\"type\": \"string\", \"pattern\": \"[^0-9]+\\\\d{2,3}(x|y)?\"}",
                "{\"type\": \"string\", \"pattern\": \"^[ -~]*$\"}",
                "{\"type\": [\"integer\", \"null\"], \"minimum\": 3}",
                "{\"type\": [\"string\", \"null\"], \"enum\": [\"a\", null]}",
                "{\"enum\": [1, \"x\", null, true]}",
                "{\"const\": {\"a\": [1]}}",
                "{\"anyOf\": [{\"type\": \"null\"}, {\"type\": \"number\"}]}",
                "{\"prefixItems\": [{\"type\": \"null\"}, {}], \"items\": false}",
                "{\"type\": \"array\", \"minItems\": 1}",
                "{\"$ref\": \"#/$defs/node\", \"$defs\": {\"node\": {\"type\": \"object\", \"properties\":"
                        + " {\"next\": {\"anyOf\": [{\"$ref\": \"#/$defs/node\"}, {\"type\": \"null\"}]}}}}}",
                "{\"allOf\": [{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"null\"}}}]}",
                "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"boolean\"}}",
                "{\"type\": \"string\", \"format\": \"date-time\"}",
                "{\"description\": \"anything\"}",
                "{}"
            })
    void makesAGrammar(String schema) {
        Grammar grammar = JsonSchema.of(schema).grammar();
        try (Model model = Model.load(TinyModel.path());
                Context context = model.newContext(
                        ContextOptions.builder().length(128).threads(1).build());
                Sampler sampler = Sampler.builder().grammar(grammar).build()) {
            String answer = context.generate(
                            "x",
                            sampler,
                            GenerationOptions.builder().maxTokens(8).build())
                    .text();
            assertThat(answer).isNotNull(); // llama.cpp took the grammar
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\": \"number\", \"minimum\": 3}",
                "{\"type\": \"integer\", \"multipleOf\": 3}",
                "{\"type\": \"string\", \"format\": \"email\"}",
                "{\"type\": \"string\", \"pattern\": \"^(?=a)b$\"}",
                "{\"type\": \"string\", \"pattern\": \"^a|b$\"}",
                "{\"type\": \"string\", \"pattern\": \"^\\\"$\"}",
                "{\"type\": \"string\", \"pattern\": \"^a$\", \"minLength\": 1}",
                "{\"type\": \"array\", \"items\": {}, \"uniqueItems\": true}",
                "{\"type\": \"object\", \"minProperties\": 1}",
                "{\"type\": \"object\", \"required\": [\"a\"]}",
                "{\"not\": {\"type\": \"null\"}}",
                "{\"if\": {}, \"then\": {}}",
                "{\"$ref\": \"https://example.org/schema\"}",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"patternProperties\": {}}}}",
                "{\"anyOf\": [{\"type\": \"null\"}], \"properties\": {}}"
            })
    void refusesWhatAGrammarCannotHoldUnlessRelaxed(String schema) {
        assertThatThrownBy(() -> JsonSchema.of(schema))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("#")
                .hasMessageContaining("a grammar cannot hold");
        assertThat(JsonSchema.relaxed(schema).grammar().rules()).contains("root ::=");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "3",
                "[]",
                "{\"type\": 3}",
                "{\"type\": \"text\"}",
                "{\"properties\": []}",
                "{\"enum\": []}",
                "{\"$ref\": \"#/$defs/no\"}",
                "{\"type\": \"array\", \"items\": {}, \"minItems\": -1}",
                "{\"type\": \"string\", \"enum\": [3]}"
            })
    void refusesWhatIsNoSchema(String schema) {
        assertThatThrownBy(() -> JsonSchema.of(schema)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> JsonSchema.relaxed(schema)).isInstanceOf(IllegalArgumentException.class);
    }
}
