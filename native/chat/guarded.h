#pragma once

#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <string>

namespace panallama_chat {

// A copy that the caller frees; null if there is no memory.
inline char *copy(const std::string &text) noexcept {
    char *bytes = static_cast<char *>(std::malloc(text.size() + 1));
    if (bytes != nullptr) {
        std::memcpy(bytes, text.c_str(), text.size() + 1);
    }
    return bytes;
}

// Runs `work` on a thread with a stack of its own, and waits for it: parsing and writing of templates and JSON recurse
// as deep as their input nests, and a Java thread's stack is small. Exceptions come out.
void on_deep_stack(const std::function<void()> &work);

// Runs `work`, which gives the result; its exceptions become messages. For the functions of the C interface.
template <class Work> int guarded(char **result, Work &&work) noexcept {
    try {
        std::string text;
        on_deep_stack([&] { text = work(); });
        *result = copy(text);
        return *result == nullptr ? 1 : 0;
    } catch (const std::exception &e) {
        *result = copy(e.what());
    } catch (...) {
        *result = copy("unknown exception");
    }
    return 1;
}

}  // namespace panallama_chat
