/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reload may change while packets flow, and what needs a restart (which costs no packet). */
#ifndef SLUICE_SLUICED_RELOAD_H
#define SLUICE_SLUICED_RELOAD_H

#include <stddef.h>

#include <sluice/plugin.h>

struct generation;

#define RELOAD_FIXED_MAX 16
/*
 * The keys of the file that differ and are fixed while the daemon runs; returns how many.  The
 * texts are literals.  With a card in use `window` is one of them.
 */
size_t reload_fixed_changes(const struct generation *old, const struct generation *next,
			    const char *keys[RELOAD_FIXED_MAX]);

/* -EBUSY: names the keys that differ and need a restart. */
int reload_check(const struct generation *old, const struct generation *next,
		 struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_RELOAD_H */
