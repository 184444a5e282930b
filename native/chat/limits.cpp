#include "limits.h"

#include <stdexcept>

namespace panallama_chat {

namespace {

bool opens(char c) { return c == '(' || c == '[' || c == '{'; }

bool closes(char c) { return c == ')' || c == ']' || c == '}'; }

}  // namespace

void check_template(const std::string &source) {
    if (source.size() > max_template_bytes) {
        throw std::invalid_argument("the chat template has " + std::to_string(source.size()) +
                                    " bytes, more than the " + std::to_string(max_template_bytes) + " that are read");
    }
    size_t depth = 0;
    for (const char c : source) {
        if (opens(c) && ++depth > max_template_depth) {
            throw std::invalid_argument("the chat template nests more than " + std::to_string(max_template_depth) +
                                        " brackets");
        }
        if (closes(c) && depth > 0) {
            --depth;
        }
    }
}

void check_json(const char *name, const std::string &text) {
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (opens(c) && ++depth > max_json_depth) {
            throw std::invalid_argument(std::string("the JSON of ") + name + " nests more than " +
                                        std::to_string(max_json_depth) + " levels");
        } else if (closes(c) && depth > 0) {
            --depth;
        }
    }
}

}  // namespace panallama_chat
