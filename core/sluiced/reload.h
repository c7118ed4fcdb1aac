/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reload may change while packets flow, and what needs a restart (which costs no packet). */
#ifndef SLUICE_SLUICED_RELOAD_H
#define SLUICE_SLUICED_RELOAD_H

#include <sluice/plugin.h>

struct generation;

/* -EBUSY: names the keys that differ and need a restart. */
int reload_check(const struct generation *old, const struct generation *next,
		 struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_RELOAD_H */
