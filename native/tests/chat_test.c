// libpanallama-chat through its C interface: templates, tools, answers whole and in pieces, schemas, and bad input.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "panallama_chat.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int failures = 0;

static void check(int good, const char *what, const char *text) {
    if (!good) {
        failures++;
        fprintf(stderr, "FAILED: %s: %s\n", what, text == NULL ? "(null)" : text);
    }
}

static void check_contains(const char *text, const char *part, const char *what) {
    check(text != NULL && strstr(text, part) != NULL, what, text);
}

// A model that announces tools and calls them the way that many do, and that may think.
static const char *tool_template =
    "{%- if tools %}<|im_start|>system\nTools:\n{%- for tool in tools %}\n{{ tool | tojson }}{%- endfor %}<|im_end|>\n"
    "{%- endif %}{%- for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "{%- if message.tool_calls %}{%- for call in message.tool_calls %}\n<tool_call>\n{\"name\": \"{{ "
    "call.function.name }}\", "
    "\"arguments\": {{ call.function.arguments | tojson }}}\n</tool_call>{%- endfor %}{%- endif %}<|im_end|>\n{%- "
    "endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{%- endif %}";

static const char *instruction_template =
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST] {{ message['content'] }} "
    "[/INST]"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] }}{{ eos_token }}{% else %}"
    "{{ raise_exception('Only user and assistant roles') }}{% endif %}{% endfor %}";

static panallama_chat_templates *open_template(const char *source) {
    panallama_chat_templates *templates = NULL;
    char *result = NULL;
    const int status = panallama_chat_templates_open(NULL, source, "<s>", "</s>", &templates, &result);
    check(status == 0 && templates != NULL, "a template opens", result);
    panallama_chat_free(result);
    return templates;
}

static char *apply(panallama_chat_templates *templates, const char *request) {
    char *result = NULL;
    const int status = panallama_chat_apply(templates, request, &result);
    check(status == 0, "a conversation is written", result);
    return result;
}

// The value of a text member of a JSON object, unescaped as far as these tests need.
static char *member(const char *json, const char *name) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(json, key);
    if (at == NULL) {
        return NULL;
    }
    char *value = malloc(strlen(at) + 1);
    size_t n = 0;
    for (at += strlen(key); *at != '"' && *at != '\0'; at++) {
        if (*at == '\\') {
            at++;
            value[n++] = *at == 'n' ? '\n' : *at;
        } else {
            value[n++] = *at;
        }
    }
    value[n] = '\0';
    return value;
}

static void test_instruction_template(void) {
    panallama_chat_templates *templates = open_template(instruction_template);
    char *result = apply(templates, "{\"messages\": [{\"role\": \"user\", \"content\": \"\\u4f60\\u597d\"}]}");
    char *prompt = member(result, "prompt");
    check(prompt != NULL && strcmp(prompt, "<s>[INST] 你好 [/INST]") == 0, "the prompt", prompt);
    free(prompt);
    panallama_chat_free(result);

    // No system role: its text goes into the user's message instead of an exception of the template.
    result = apply(templates,
                   "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"},"
                   "{\"role\": \"user\", \"content\": \"Hi\"}]}");
    check_contains(result, "Be brief.", "a system message is not lost");
    check_contains(result, "[INST]", "a system message is folded into the user's");
    panallama_chat_free(result);
    panallama_chat_templates_close(templates);
}

static void test_tools(void) {
    panallama_chat_templates *templates = open_template(tool_template);
    char *result =
        apply(templates,
              "{\"messages\": [{\"role\": \"user\", \"content\": \"Weather in Paris?\"}], \"tool_choice\": \"auto\","
              "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\": \"Now\","
              "\"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}},"
              "\"required\": [\"city\"]}}}]}");
    check_contains(result, "weather", "the tool is announced");
    check_contains(result, "\"grammar_lazy\":true", "the grammar waits for a call");
    char *syntax = member(result, "syntax");
    panallama_chat_free(result);

    panallama_chat_parser *parser = NULL;
    result = NULL;
    check(panallama_chat_parser_open(syntax, &parser, &result) == 0, "the syntax is read", result);
    const char *answer =
        "Let me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
    char *so_far = calloc(strlen(answer) + 1, 1);
    char arguments[256] = "";
    for (size_t n = 1; n < strlen(answer); n++) {
        memcpy(so_far, answer, n);
        check(panallama_chat_parse(parser, so_far, 1, &result) == 0, "a part of an answer", result);
        char *piece = strstr(result, "\"deltas\":") == NULL ? NULL : member(strstr(result, "\"deltas\":"), "arguments");
        if (piece != NULL) {
            strncat(arguments, piece, sizeof arguments - strlen(arguments) - 1);
        }
        free(piece);
        panallama_chat_free(result);
    }
    check(panallama_chat_parse(parser, answer, 0, &result) == 0, "the whole answer", result);
    check_contains(result, "Let me look.", "the content before a call");
    check_contains(result, "\"name\":\"weather\"", "the call's name");
    char *whole = member(result, "arguments");
    check_contains(whole, "Paris", "the call's arguments");
    check(strncmp(arguments, whole == NULL ? "" : whole, strlen(arguments)) == 0 && strlen(arguments) > 0,
          "arguments come in pieces", arguments);
    free(whole);
    panallama_chat_free(result);
    free(so_far);
    free(syntax);
    panallama_chat_parser_close(parser);
    panallama_chat_templates_close(templates);
}

static void test_schema(void) {
    char *result = NULL;
    const char *schema =
        "{\"type\": \"object\", \"properties\": {\"code\": {\"type\": \"string\", \"enum\": [\"FR\", \"DE\"]}},"
        "\"required\": [\"code\"], \"additionalProperties\": false}";
    check(panallama_chat_schema_to_grammar(schema, &result) == 0, "a schema", result);
    check_contains(result, "root ::=", "a grammar has a root");
    check_contains(result, "FR", "a grammar has the values");
    panallama_chat_free(result);
}

static void test_model_template_is_needed(void) {
    panallama_chat_templates *templates = NULL;
    char *result = NULL;
    check(panallama_chat_templates_open(NULL, NULL, NULL, NULL, &templates, &result) == 1, "no template at all",
          result);
    check_contains(result, "no chat template", "what is missing is said");
    panallama_chat_free(result);
}

static void test_bad_templates(void) {
    char *deep = calloc(300001, 1);
    memset(deep, '(', 3000);
    memcpy(deep, "{{ ", 3);
    char *large = malloc(300001);
    memset(large, 'a', 300000);
    large[300000] = '\0';
    const char *bad[] = {"{% if %}", "{{ unclosed", "{% for x in %}{% endfor %}", deep, large};
    for (size_t i = 0; i < COUNT(bad); i++) {
        panallama_chat_templates *templates = NULL;
        char *result = NULL;
        check(panallama_chat_templates_open(NULL, bad[i], "", "", &templates, &result) == 1, "a bad template", result);
        check(result != NULL && *result != '\0', "a bad template has a message", result);
        panallama_chat_free(result);
    }
    free(deep);
    free(large);
}

static void test_bad_requests(void) {
    panallama_chat_templates *templates = open_template(instruction_template);
    char *deep = malloc(200001);
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    const char *bad[] = {
        "",
        "{",
        "[]",
        "3",
        "null",
        "{}",
        "{\"messages\": 3}",
        "{\"messages\": [3]}",
        "{\"messages\": [{}]}",
        "{\"messages\": [{\"role\": \"user\"}]}",
        "{\"messages\": [{\"role\": 3, \"content\": \"x\"}]}",
        "{\"messages\": [{\"role\": \"user\", \"content\": {\"a\": 1}}]}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"tools\": 3}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"tool_choice\": \"never\"}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"reasoning_format\": \"loud\"}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"chat_template_kwargs\": \"x\"}",
        deep,
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *result = NULL;
        const int status = panallama_chat_apply(templates, bad[i], &result);
        if (status == 0 && strstr(bad[i], "kwargs") == NULL) {
            check(0, "a bad request is refused", bad[i]);
        }
        check(result != NULL && *result != '\0', "a bad request has a message", bad[i]);
        panallama_chat_free(result);

        panallama_chat_parser *parser = NULL;
        result = NULL;
        check(panallama_chat_parser_open(bad[i], &parser, &result) == 1, "a bad syntax is refused", bad[i]);
        panallama_chat_free(result);
    }
    const char *schemas[] = {"", "{", "3", "[]", "{\"type\": \"nonsense\"}", "{\"$ref\": \"#/nowhere\"}", deep};
    for (size_t i = 0; i < COUNT(schemas); i++) {
        char *result = NULL;
        check(panallama_chat_schema_to_grammar(schemas[i], &result) == 1, "a bad schema is refused", schemas[i]);
        check(result != NULL && *result != '\0', "a bad schema has a message", schemas[i]);
        panallama_chat_free(result);
    }
    free(deep);
    panallama_chat_templates_close(templates);
}

int main(void) {
    check(strcmp(panallama_chat_llama_version(), "v0.4.0") == 0, "the version", panallama_chat_llama_version());
    test_instruction_template();
    test_tools();
    test_schema();
    test_model_template_is_needed();
    test_bad_templates();
    test_bad_requests();
    if (failures > 0) {
        fprintf(stderr, "%d checks failed\n", failures);
        return 1;
    }
    return 0;
}
