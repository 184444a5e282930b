#pragma once

#include <cstddef>
#include <string>

namespace panallama_chat {

// Bounds on what is parsed by recursion, so that the deep stack is deep enough for all of it.
constexpr size_t max_template_bytes = 256 * 1024;
constexpr size_t max_template_depth = 1000;
constexpr size_t max_json_depth = 1000;

// Throws std::invalid_argument with what is too large. Brackets in strings of JSON do not count.
void check_template(const std::string &source);
void check_json(const char *name, const std::string &text);

}  // namespace panallama_chat
