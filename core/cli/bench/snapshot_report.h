/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of `sluice bench snapshot`, for programs and for people.  Pure. */
#ifndef SLUICE_CLI_BENCH_SNAPSHOT_REPORT_H
#define SLUICE_CLI_BENCH_SNAPSHOT_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "memory.h"
#include "stats.h"

enum snapshot_method {
	SNAPSHOT_SLUICE,
	SNAPSHOT_BATCH,	       /* A PERCPU_HASH by batch calls. */
	SNAPSHOT_ONE_BY_ONE,   /* The same, key by key: P1's way. */
	SNAPSHOT_INSERT,       /* No snapshot: so many sources into the blocklist. */
	SNAPSHOT_INSERT_LIMIT, /* The least that this can cost. */
	SNAPSHOT_N_METHODS,
};

enum snapshot_stage {
	SNAPSHOT_FLIP,
	SNAPSHOT_GRACE,
	SNAPSHOT_READ,
	SNAPSHOT_MERGE,
	SNAPSHOT_CLEAR,
	SNAPSHOT_TOTAL,
	/* Beside the total: only some methods have them. */
	SNAPSHOT_GRACE_LOAD, /* The wait while every CPU runs packets. */
	SNAPSHOT_INSERTS,
	SNAPSHOT_N_STAGES,
};

const char *snapshot_method_name(enum snapshot_method method);

/* What one method took, round by round.  A stage that the method has not has no rounds. */
struct snapshot_series {
	enum snapshot_method method;
	uint32_t sources;
	uint32_t tracked;	  /* Distinct sources that came out. */
	uint32_t blocked;	  /* While the memory was measured. */
	struct memory_use memory; /* All 0 where it was not. */
	size_t n_rounds[SNAPSHOT_N_STAGES];
	double ms[SNAPSHOT_N_STAGES][STATS_MAX_ROUNDS];
};

/* Notes one figure; more than STATS_MAX_ROUNDS are not kept. */
void snapshot_note(struct snapshot_series *series, enum snapshot_stage stage, double ms);
/* Notes the sum of the stages of the last round, each of which has a figure or no rounds at all. */
void snapshot_note_total(struct snapshot_series *series);

/* Appends one object: medians, and "_worst" beside each; null where a stage has no rounds. */
int snapshot_add_row(json_t *rows, const struct snapshot_series *series)
	__attribute__((warn_unused_result));

void snapshot_print_head(FILE *out, size_t n_rounds);
void snapshot_print_row(FILE *out, const struct snapshot_series *series);

#endif /* SLUICE_CLI_BENCH_SNAPSHOT_REPORT_H */
