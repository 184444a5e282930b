#pragma once

// libpanallama-chat: what llama.cpp's C++ library libllama-common knows about chats, behind a C interface.
//
// Conversations, tools and answers are JSON in the shape of OpenAI's chat completions. Texts are UTF-8; those that come
// out end with a NUL, belong to the caller and go back with panallama_chat_free(). Every function that returns an int
// returns 0 when it worked, and sets `result` to what it gives; otherwise 1, and `result` is a message that says why.
// Nothing is thrown, printed or logged.

#include <stdint.h>

#if defined(_WIN32)
#define PANALLAMA_CHAT_API __declspec(dllexport)
#else
#define PANALLAMA_CHAT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct llama_model;
// A model's chat templates. One thread at a time computes; others wait.
typedef struct panallama_chat_templates panallama_chat_templates;
// Reads one answer. For one thread at a time.
typedef struct panallama_chat_parser panallama_chat_parser;

// The llama.cpp release that the library was built for.
PANALLAMA_CHAT_API const char *panallama_chat_llama_version(void);

PANALLAMA_CHAT_API void panallama_chat_free(char *text);

// Parses a Jinja template: `source`, or those in the model's file where it is null. `model` gives the special tokens
// and outlives the result; it may be null if there is a source, then bos and eos do. Result: {"source",
// "capabilities"}.
PANALLAMA_CHAT_API int panallama_chat_templates_open(const struct llama_model *model, const char *source,
                                                     const char *bos, const char *eos,
                                                     panallama_chat_templates **templates, char **result);
PANALLAMA_CHAT_API void panallama_chat_templates_close(panallama_chat_templates *templates);

// Writes a conversation. Request: "messages", and optionally "tools", "tool_choice" (auto, required, none),
// "parallel_tool_calls", "json_schema", "grammar", "add_generation_prompt", "continue_final_message",
// "reasoning_format", "enable_thinking", "now" (seconds since 1970), "chat_template_kwargs".
// Result: "prompt", and how to go on: "grammar", "grammar_lazy", "grammar_triggers" [{"type", "value"}],
// "generation_prompt" (the prompt's end, which a grammar that is not lazy begins with), "preserved_tokens", "stop",
// "thinking_start", "thinking_end", and "syntax" for panallama_chat_parser_open().
PANALLAMA_CHAT_API int panallama_chat_apply(panallama_chat_templates *templates, const char *request, char **result);

// Begins to read an answer to a prompt that panallama_chat_apply() wrote. `result` is set only if it fails.
PANALLAMA_CHAT_API int panallama_chat_parser_open(const char *syntax, panallama_chat_parser **parser, char **result);
PANALLAMA_CHAT_API void panallama_chat_parser_close(panallama_chat_parser *parser);

// Reads all that has been generated so far. Result: "message" as it stands, and "deltas", what came since the last
// call:
// [{"content", "reasoning_content", "tool_call": {"index", "id", "name", "arguments"}}], without what is empty.
// `partial` is 0 for the whole answer.
PANALLAMA_CHAT_API int panallama_chat_parse(panallama_chat_parser *parser, const char *text, int32_t partial,
                                            char **result);

// A JSON schema as a GBNF grammar.
PANALLAMA_CHAT_API int panallama_chat_schema_to_grammar(const char *schema, char **result);

#ifdef __cplusplus
}
#endif
