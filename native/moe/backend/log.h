#pragma once

namespace panallama {

// Passes one line (without its end) to the log callback of the llama.cpp in this process.
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace panallama
