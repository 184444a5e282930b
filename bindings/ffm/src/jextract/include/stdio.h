/* See stddef.h beside this file. Nothing that takes a FILE is called from Java. */
#pragma once

#include <stddef.h>

typedef struct panallama_file FILE;
