/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reload would do, or has done: the difference between two generations, as a document. */
#ifndef SLUICE_SLUICED_RELOAD_PLAN_H
#define SLUICE_SLUICED_RELOAD_PLAN_H

#include <stdint.h>

#include <jansson.h>

struct config_errors;
struct generation;

/*
 * The members of sluice(8)'s `reload --json`: file, ok, restart, changes, left_out, detectors,
 * measured, forgets, errors.  `next` NULL: the file is unfit, and `errors` says why; with it, `errors` are
 * what of this host speaks against it.  
 * `allowed_by_hand` is how many prefixes were, which a reload forgets.  NULL: no memory.
 */
json_t *reload_plan_json(const char *file, const struct generation *running,
			 struct generation *next, uint64_t allowed_by_hand,
			 const struct config_errors *errors);

#endif /* SLUICE_SLUICED_RELOAD_PLAN_H */
