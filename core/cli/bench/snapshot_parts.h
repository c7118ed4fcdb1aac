/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of `sluice bench snapshot`; each adds its rounds to a series. */
#ifndef SLUICE_CLI_BENCH_SNAPSHOT_PARTS_H
#define SLUICE_CLI_BENCH_SNAPSHOT_PARTS_H

#include <stddef.h>

#include <sluice/plugin.h>

struct sandbox;
struct snapshot_series;

/* Swap, read and merge as the daemon does it once a window. */
int snapshot_measure_sluice(const struct sandbox *sandbox, size_t n_rounds,
			    struct snapshot_series *series, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* The same content in a PERCPU_HASH, by the series' method. */
int snapshot_measure_hash(const struct sandbox *sandbox, size_t n_rounds,
			  struct snapshot_series *series, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* An empty blocklist filled with that many sources. */
int snapshot_measure_inserts(size_t n_rounds, struct snapshot_series *series,
			     struct sluice_err *err) __attribute__((warn_unused_result));

/* The same sources into memory of the same size, without a check or a choice: the machine's limit. */
int snapshot_measure_insert_limit(size_t n_rounds, struct snapshot_series *series,
				  struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_SNAPSHOT_PARTS_H */
