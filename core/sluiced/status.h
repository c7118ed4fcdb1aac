/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The document of `sluice status --json`.  Its names are stable and are described in sluice(8):
 * members are added, never renamed.
 */
#ifndef SLUICE_SLUICED_STATUS_H
#define SLUICE_SLUICED_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct engine_explanation;
struct engine_top_source;
struct snapshot;

struct status_context {
	const char *config; /* Path of the deployment file. */
	int pid;
	uint64_t uptime_ns;
};

/* NULL: no memory. */
json_t *status_json(const struct snapshot *snapshot, const struct status_context *context);
json_t *status_explanation_json(const struct engine_explanation *explanation);
/* The first `n` of `total` sources. */
json_t *status_top_json(const struct engine_top_source *list, size_t n, size_t total);

#endif /* SLUICE_SLUICED_STATUS_H */
