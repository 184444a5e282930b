#include "chat.h"

#include <mutex>
#include <stdexcept>
#include <utility>

#include "guarded.h"
#include "json-schema-to-grammar.h"
#include "limits.h"
#include "log.h"
#include "panallama_chat.h"

using namespace panallama_chat;

// The file of libllama has another name in llama.cpp's packages with a GPU backend. Weak, its one function called here
// needs no such name: the loader finds it among what libllama-common needs.
#pragma weak llama_model_chat_template

struct panallama_chat_templates {
    common_chat_templates_ptr parsed;
    std::mutex computing;  // the interpreter marks values while it runs
};

struct panallama_chat_parser {
    common_chat_parser_params syntax;
    common_chat_msg so_far;
};

namespace {

common_json parsed(const char *name, const char *text) {
    check_json(name, text);
    common_json json = common_json::parse_no_throw(text);
    if (json.is_discarded()) {
        throw std::invalid_argument(std::string("the JSON of ") + name + " is damaged");
    }
    return json;
}

// libllama-common prints warnings by itself, where nobody looks.
void silence() {
    static std::once_flag once;
    std::call_once(once, [] { common_log_set_verbosity_thold(-1); });
}

// llama.cpp tries a conversation, which a template may refuse.
bool can_think(const common_chat_templates *templates) {
    try {
        return common_chat_templates_support_enable_thinking(templates);
    } catch (const std::exception &) {
        return false;
    }
}

const char *trigger_type(common_grammar_trigger_type type) {
    switch (type) {
        case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN:
            return "token";
        case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
            return "word";
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
            return "pattern";
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
            return "pattern_full";
    }
    throw std::logic_error("grammar trigger of an unknown type");
}

common_chat_templates_inputs inputs_of(const common_json &request) {
    common_chat_templates_inputs inputs;
    inputs.messages = common_chat_msgs_parse_oaicompat(request.at("messages"));
    inputs.use_jinja = true;
    if (request.contains("tools")) {
        inputs.tools = common_chat_tools_parse_oaicompat(request.at("tools"));
    }
    if (request.contains("tool_choice")) {
        inputs.tool_choice = common_chat_tool_choice_parse_oaicompat(request.at("tool_choice").get<std::string>());
    }
    inputs.parallel_tool_calls = request.value("parallel_tool_calls", false);
    if (request.contains("json_schema")) {
        inputs.json_schema = request.at("json_schema").dump();
    }
    inputs.grammar = request.value("grammar", "");
    inputs.add_generation_prompt = request.value("add_generation_prompt", true);
    if (request.contains("continue_final_message")) {
        inputs.continue_final_message = common_chat_continuation_parse(request.at("continue_final_message"));
    }
    inputs.reasoning_format = common_reasoning_format_from_name(request.value("reasoning_format", "none"));
    inputs.enable_thinking = request.value("enable_thinking", true);
    if (request.contains("now")) {
        inputs.now = std::chrono::system_clock::time_point(std::chrono::seconds(request.at("now").get<int64_t>()));
    }
    if (request.contains("chat_template_kwargs")) {
        for (const auto &entry : request.at("chat_template_kwargs").items()) {
            inputs.chat_template_kwargs[entry.key()] = entry.value().dump();
        }
    }
    return inputs;
}

common_json json_of(const common_chat_params &params, common_reasoning_format reasoning_format) {
    common_json triggers = common_json::array();
    for (const common_grammar_trigger &trigger : params.grammar_triggers) {
        triggers.push_back({{"type", trigger_type(trigger.type)}, {"value", trigger.value}});
    }
    const common_json syntax = {
        {"format", static_cast<int>(params.format)},
        {"reasoning_format", common_reasoning_format_name(reasoning_format)},
        {"generation_prompt", params.generation_prompt},
        {"parser", params.parser},
    };
    common_json result = {
        {"prompt", params.prompt},
        {"grammar", params.grammar},
        {"grammar_lazy", params.grammar_lazy},
        {"preserved_tokens", params.preserved_tokens},
        {"generation_prompt", params.generation_prompt},
        {"stop", params.additional_stops},
        {"supports_thinking", params.supports_thinking},
        {"thinking_start", params.thinking_start_tag},
        {"thinking_end", params.thinking_end_tags},
        {"syntax", syntax.dump()},
    };
    result["grammar_triggers"] = triggers;
    return result;
}

common_json json_of(const common_chat_msg_diff &diff) {
    common_json delta = common_json::object();
    if (!diff.content_delta.empty()) {
        delta["content"] = diff.content_delta;
    }
    if (!diff.reasoning_content_delta.empty()) {
        delta["reasoning_content"] = diff.reasoning_content_delta;
    }
    if (diff.tool_call_index != std::string::npos) {
        delta["tool_call"] = common_json{
            {"index", static_cast<int64_t>(diff.tool_call_index)},
            {"id", diff.tool_call_delta.id},
            {"name", diff.tool_call_delta.name},
            {"arguments", diff.tool_call_delta.arguments},
        };
    }
    return delta;
}

}  // namespace

const char *panallama_chat_llama_version() { return PANALLAMA_LLAMA_VERSION; }

void panallama_chat_free(char *text) { std::free(text); }

int panallama_chat_templates_open(const llama_model *model, const char *source, const char *bos, const char *eos,
                                  panallama_chat_templates **templates, char **result) {
    silence();
    return guarded(result, [&] {
        const std::string given = source == nullptr ? "" : source;
        if (given.empty() && (model == nullptr || llama_model_chat_template(model, nullptr) == nullptr)) {
            throw std::invalid_argument("there is no chat template");
        }
        for (const char *name : {static_cast<const char *>(nullptr), "tool_use"}) {
            const char *own = model == nullptr ? nullptr : llama_model_chat_template(model, name);
            check_template(!given.empty() ? given : own == nullptr ? "" : own);
        }
        auto opened = std::make_unique<panallama_chat_templates>();
        opened->parsed = common_chat_templates_init(model, given, bos == nullptr ? "" : bos, eos == nullptr ? "" : eos);
        common_json capabilities = common_json::object();
        for (const auto &[name, has] : common_chat_templates_get_caps(opened->parsed.get())) {
            capabilities[name] = has;
        }
        capabilities["supports_thinking"] = can_think(opened->parsed.get());
        common_json description = {{"source", common_chat_templates_source(opened->parsed.get())}};
        description["capabilities"] = capabilities;
        std::string text = description.dump_safe();
        *templates = opened.release();
        return text;
    });
}

void panallama_chat_templates_close(panallama_chat_templates *templates) { delete templates; }

int panallama_chat_apply(panallama_chat_templates *templates, const char *request, char **result) {
    return guarded(result, [&] {
        const common_chat_templates_inputs inputs = inputs_of(parsed("the request", request));
        const std::lock_guard<std::mutex> alone(templates->computing);
        const common_chat_params params = common_chat_templates_apply(templates->parsed.get(), inputs);
        return json_of(params, inputs.reasoning_format).dump_safe();
    });
}

int panallama_chat_parser_open(const char *syntax, panallama_chat_parser **parser, char **result) {
    char *nothing = nullptr;
    const int status = guarded(&nothing, [&] {
        const common_json json = parsed("the syntax", syntax);
        const int64_t format = json.at("format").get<int64_t>();
        if (format < 0 || format >= COMMON_CHAT_FORMAT_COUNT) {
            throw std::invalid_argument("unknown format of answers: " + std::to_string(format));
        }
        auto opened = std::make_unique<panallama_chat_parser>();
        opened->so_far.role = "assistant";
        opened->syntax.format = static_cast<common_chat_format>(format);
        opened->syntax.reasoning_format =
            common_reasoning_format_from_name(json.at("reasoning_format").get<std::string>());
        opened->syntax.generation_prompt = json.at("generation_prompt").get<std::string>();
        const std::string arena = json.at("parser").get<std::string>();
        if (!arena.empty()) {
            check_json("the syntax", arena);
            opened->syntax.parser.load(arena);
        }
        *parser = opened.release();
        return std::string();
    });
    if (status == 0) {
        panallama_chat_free(nothing);
    } else {
        *result = nothing;
    }
    return status;
}

void panallama_chat_parser_close(panallama_chat_parser *parser) { delete parser; }

int panallama_chat_parse(panallama_chat_parser *parser, const char *text, int32_t partial, char **result) {
    return guarded(result, [&] {
        common_chat_msg now = common_chat_parse(text, partial != 0, parser->syntax);
        common_json deltas = common_json::array();
        for (const common_chat_msg_diff &diff : common_chat_msg_diff::compute_diffs(parser->so_far, now)) {
            deltas.push_back(json_of(diff));
        }
        common_json both = common_json::object();
        both["message"] = now.to_json_oaicompat();
        both["deltas"] = deltas;
        parser->so_far = std::move(now);
        return both.dump_safe();
    });
}

int panallama_chat_schema_to_grammar(const char *schema, char **result) {
    silence();
    return guarded(result, [&] {
        const common_json json = parsed("the schema", schema);
        if (!json.is_object()) {
            throw std::invalid_argument("a JSON schema is an object");
        }
        return json_schema_to_grammar(json, true);
    });
}
