/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arena memory: zeroed, aligned, apart from one another.
 */
#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

Test(arena, pieces_are_zeroed_aligned_and_apart)
{
	struct arena arena;
	unsigned char *pieces[500];

	arena_init(&arena);
	for (size_t i = 0; i < 500; i++) {
		pieces[i] = arena_alloc(&arena, i * 7 + 1);
		cr_assert_not_null(pieces[i]);
		cr_assert_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < i * 7 + 1; j++)
			cr_assert_eq(pieces[i][j], 0);
		memset(pieces[i], (int)(i & 0xff), i * 7 + 1);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t j = 0; j < i * 7 + 1; j++)
			cr_assert_eq(pieces[i][j], i & 0xff);
	arena_fini(&arena);
	arena_fini(&arena);
}

Test(arena, large_pieces_fit)
{
	struct arena arena;

	arena_init(&arena);
	cr_assert_not_null(arena_alloc(&arena, 10));
	cr_assert_not_null(arena_alloc(&arena, 1 << 20));
	cr_assert_not_null(arena_alloc(&arena, 0));
	arena_fini(&arena);
}

Test(arena, impossible_sizes_are_refused)
{
	struct arena arena;

	arena_init(&arena);
	cr_assert_null(arena_alloc(&arena, SIZE_MAX));
	cr_assert_null(arena_calloc(&arena, SIZE_MAX / 2, 3));
	cr_assert_null(arena_strndup(&arena, "x", SIZE_MAX));
	arena_fini(&arena);
}

Test(arena, strings_end)
{
	struct arena arena;

	arena_init(&arena);
	cr_assert_str_eq(arena_strndup(&arena, "abcdef", 3), "abc");
	cr_assert_str_eq(arena_strndup(&arena, "", 0), "");
	arena_fini(&arena);
}
