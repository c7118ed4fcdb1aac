/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sluice's data plane as the benchmark measures it: the real one, opened in the sandbox, with the
 * allow-list that a deployment gets by default.
 */
#ifndef SLUICE_CLI_BENCH_PLANE_H
#define SLUICE_CLI_BENCH_PLANE_H

#include <stdint.h>

#include <sluice/plugin.h>

struct dataplane;
struct sluice_key;
struct prefix_set;

struct plane {
	struct dataplane *dp;
	struct prefix_set *allowed; /* What must not be blocked. */
	int filter_fd, progs_fd;
	uint32_t table_lines; /* Cache lines of the IPv4 blocklist. */
};

/* Tables for `n` sources to block and to track; on `interface` unless NULL. */
int plane_open(struct plane *plane, uint32_t n, const char *interface, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Takes the filter off and its pins away, too. */
void plane_close(struct plane *plane);

/* `n` sources from `first_source` on, to be freed; NULL without the memory. */
struct sluice_key *plane_keys(uint32_t first_source, uint32_t n)
	__attribute__((warn_unused_result));
/* Blocks them, each checked against the allow-list. */
int plane_block(struct plane *plane, const struct sluice_key *keys, uint32_t n,
		struct sluice_err *err) __attribute__((warn_unused_result));

/* Takes all of them out again; their places are free after the next swap. */
void plane_unblock_all(struct plane *plane);

/* The filter alone, with no feature program behind it; the next swap puts one there again. */
int plane_without_features(struct plane *plane, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_PLANE_H */
