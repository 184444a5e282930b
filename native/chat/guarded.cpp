#include "guarded.h"

#include <stdexcept>

#if defined(_WIN32)
#include <thread>
#else
#include <pthread.h>
#endif

namespace panallama_chat {

namespace {

// Address space alone: pages are taken when they are touched. Enough for inputs of limits.h nested to the last byte.
constexpr size_t stack_bytes = size_t{1} << 29;

struct job {
    const std::function<void()> &work;
    std::exception_ptr failure;

    void run() noexcept {
        try {
            work();
        } catch (...) {
            failure = std::current_exception();
        }
    }
};

}  // namespace

void on_deep_stack(const std::function<void()> &work) {
    job todo{work, nullptr};
#if defined(_WIN32)
    std::thread(&job::run, &todo).join();
#else
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread;
    const auto start = [](void *argument) -> void * {
        static_cast<job *>(argument)->run();
        return nullptr;
    };
    const int status = pthread_create(&thread, &attributes, start, &todo);
    pthread_attr_destroy(&attributes);
    if (status != 0) {
        throw std::runtime_error("cannot start a thread: " + std::string(std::strerror(status)));
    }
    pthread_join(thread, nullptr);
#endif
    if (todo.failure) {
        std::rethrow_exception(todo.failure);
    }
}

}  // namespace panallama_chat
