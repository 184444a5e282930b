/* See stddef.h beside this file. */
#pragma once

#define bool _Bool
#define true 1
#define false 0
