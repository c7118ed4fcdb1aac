/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many small pieces of memory with one life: allocated one by one, freed all at once.  For trees
 * that are built, read and thrown away, such as a parsed file.
 */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);

/* Zeroed, aligned for any type; NULL when memory is out. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((warn_unused_result));
/* As above for `n` members of `size` bytes; NULL also when the product overflows. */
void *arena_calloc(struct arena *arena, size_t n, size_t size) __attribute__((warn_unused_result));
/* A NUL-terminated copy of `len` characters. */
char *arena_strndup(struct arena *arena, const char *text, size_t len)
	__attribute__((warn_unused_result));

#endif /* SLUICE_BASE_ARENA_H */
