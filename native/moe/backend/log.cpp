#include "log.h"

#include <cstdarg>
#include <cstdio>

#include "ggml.h"

namespace panallama {

namespace {

void log_line(ggml_log_level level, const char *format, va_list arguments) {
    char line[1024];
    const int room = static_cast<int>(sizeof line) - 1;
    const int head = snprintf(line, sizeof line, "panallama: ");
    int n = head + vsnprintf(line + head, static_cast<size_t>(room - head), format, arguments);
    if (n > room - 1) n = room - 1;
    line[n] = '\n';
    line[n + 1] = '\0';
    ggml_log_callback callback = nullptr;
    void *user = nullptr;
    ggml_log_get(&callback, &user);
    if (callback) callback(level, line, user);
}

}  // namespace

void log_debug(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_line(GGML_LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_line(GGML_LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_line(GGML_LOG_LEVEL_WARN, format, arguments);
    va_end(arguments);
}

}  // namespace panallama
