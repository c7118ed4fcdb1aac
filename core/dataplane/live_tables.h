/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of the program per source, which hold both sides: made once, lent to every program that
 * counts into them, read by the daemon.  Private to the live_*.c files.
 */
#ifndef SLUICE_DATAPLANE_LIVE_TABLES_H
#define SLUICE_DATAPLANE_LIVE_TABLES_H

#include <stdint.h>

#include <sluice/plugin.h>

#include "feature_reader.h"
#include "mapped.h"
#include "source_table.h"

struct state;

struct live_tables {
	struct feature_fds v4, v6;
	int distinct_fd;
	uint32_t n_cpus, source4_buckets, source6_buckets;
	struct source_table sources;
	struct mapped distinct; /* By row, as the tables: side * n_cpus + cpu. */
};

/* Makes and maps them as `state` says.  live_tables_close() in either case. */
int live_tables_open(struct live_tables *tables, const struct state *state, struct sluice_err *err)
	__attribute__((warn_unused_result));
void live_tables_close(struct live_tables *tables);

#endif /* SLUICE_DATAPLANE_LIVE_TABLES_H */
