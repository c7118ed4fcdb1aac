/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Did you mean ...?": the candidate that a misspelt name was probably meant to be.
 */
#ifndef SLUICE_BASE_NEAREST_H
#define SLUICE_BASE_NEAREST_H

#include <stddef.h>

/*
 * Edits (insert, delete, replace, swap of neighbours; case is free) from `a` to `b`, or SIZE_MAX
 * when either is longer than 63 characters.
 */
size_t nearest_distance(const char *a, const char *b);

/*
 * The nearest of `candidates`, the first of equals; NULL if none is near enough to be a slip: more
 * than a third of the name, or all of it, would have to change.
 */
const char *nearest_name(const char *name, const char *const *candidates, size_t n);

#endif /* SLUICE_BASE_NEAREST_H */
