/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmarks behind `sluice bench`: each measures, in the sandbox if it needs a kernel, and
 * reports on stdout.
 */
#ifndef SLUICE_CLI_BENCH_BENCH_H
#define SLUICE_CLI_BENCH_BENCH_H

#include <sluice/plugin.h>

struct bench_options;

/* Cost and rate of the packet path beside the references; progress goes to stderr if it is JSON. */
int bench_datapath(const struct bench_options *options, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Cost of one window's read-out, beside a PERCPU_HASH, and of filling the blocklist. */
int bench_snapshot(const struct bench_options *options, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * How well the offload manager fills a card's table: a simulation, which needs no root and no
 * network.  `options->entries` are the sizes of the table.
 */
int bench_offload(const struct bench_options *options, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * Web servers on packet I/O of different kinds, after P2's figures.  The measuring is a script's, which
 * starts servers, clients and a flood in namespaces of their own: tests/bench/stack.sh of a clone.
 */
int bench_stack(const struct bench_options *options, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_BENCH_H */
