/*
 * Stands in for the platform's own header while jextract reads llama.h. Every platform that Panallama runs on has 64-bit
 * pointers and a 64-bit long long, but not a 64-bit long (Windows): spelling the wide types as long long makes the
 * generated Java the same, and right, everywhere.
 */
#pragma once

#define NULL ((void *)0)

typedef unsigned long long size_t;
typedef long long ptrdiff_t;
