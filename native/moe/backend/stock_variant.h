#pragma once

#include <string>

#include "ggml-backend-impl.h"

namespace panallama {

// llama.cpp's own CPU backend that lies beside this library.
struct stock_variant {
    std::string path;
    int score;
    ggml_backend_init_t init;
};

// The variant in `directory` that llama.cpp would choose without this library; its init is null when there is none.
stock_variant find_stock_variant_in(const std::string &directory);

// The same for the directory that holds this library; null when there is none. Opened once and kept open.
const stock_variant *find_stock_variant();

}  // namespace panallama
