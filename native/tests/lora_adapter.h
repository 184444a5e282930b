#pragma once

#include <stdbool.h>

// Writes a random LoRA adapter for the matrices of attention and experts of a model. False when a file cannot be read
// or written.
bool write_lora_adapter(const char *model_file, const char *adapter_file);
