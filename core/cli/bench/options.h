/* SPDX-License-Identifier: BSD-2-Clause */
/* What `sluice bench` may be told: how many rounds, and which table sizes. */
#ifndef SLUICE_CLI_BENCH_OPTIONS_H
#define SLUICE_CLI_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

#define OPTIONS_MAX_SIZES 16
/* Sources are drawn from 11.0.0.0/8, and those of a miss from 12.0.0.0/8. */
#define OPTIONS_MAX_ENTRIES (4u << 20)

struct bench_options {
	size_t n_rounds;
	uint32_t entries[OPTIONS_MAX_SIZES]; /* Ascending or not: in the order given. */
	size_t n_sizes;
	bool json;
	const char *csv, *svg; /* Files to write, or NULL. */
	const char *attack;    /* What the simulated one is like, or NULL: see offload_attack.h. */
};

/* "11": 1 to STATS_MAX_ROUNDS.  0 or -EINVAL with the reason. */
int options_parse_rounds(const char *text, size_t *n_rounds, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* "1,1K,128K,1M": K is 1,024 and M its square, as tables are sized.  0 or -EINVAL. */
int options_parse_entries(const char *text, struct bench_options *options, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_OPTIONS_H */
