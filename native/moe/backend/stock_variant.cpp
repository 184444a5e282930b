#include "stock_variant.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

namespace panallama {

namespace {

namespace fs = std::filesystem;

constexpr const char *prefix = "libggml-cpu-";
constexpr const char *only_variant = "libggml-cpu.so";

// This library's own file.
fs::path own_path() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void *>(&find_stock_variant), &info) == 0 || info.dli_fname == nullptr) return {};
    return info.dli_fname;
}

// Raises `best` to the variant at `path` when that scores higher. A library without a score counts as 1.
void consider(const fs::path &path, stock_variant *best) {
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    const auto score = reinterpret_cast<ggml_backend_score_t>(dlsym(library, "ggml_backend_score"));
    const auto init = reinterpret_cast<ggml_backend_init_t>(dlsym(library, "ggml_backend_init"));
    const int s = init == nullptr ? 0 : score == nullptr ? 1 : score();
    if (s <= best->score) {
        dlclose(library);
        return;
    }
    *best = {path.string(), s, init};
}

}  // namespace

stock_variant find_stock_variant_in(const std::string &directory) {
    stock_variant best{{}, 0, nullptr};
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        const bool variant = name.rfind(prefix, 0) == 0 && it->path().extension() == ".so";
        if ((variant || name == only_variant) && name.find("panallama") == std::string::npos) {
            consider(it->path(), &best);
        }
    }
    return best;
}

const stock_variant *find_stock_variant() {
    static const stock_variant found = find_stock_variant_in(own_path().parent_path().string());
    return found.init == nullptr ? nullptr : &found;
}

}  // namespace panallama
