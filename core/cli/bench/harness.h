/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference programs of the benchmark, loaded for one number of sources, and the ways to run
 * packets through them or through Sluice's filter.
 */
#ifndef SLUICE_CLI_BENCH_HARNESS_H
#define SLUICE_CLI_BENCH_HARNESS_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct veth;

/* Sources of a hit, and those of a miss, in host byte order. */
#define HARNESS_FIRST_BLOCKED 0x0b000000u /* 11.0.0.0 */
#define HARNESS_FIRST_UNKNOWN 0x0c000000u /* 12.0.0.0 */

enum harness_reference {
	HARNESS_DROP,
	HARNESS_PASS,
	HARNESS_PARSE,
	HARNESS_LIMIT,
	HARNESS_FLOOR,
	HARNESS_EXACT,
	HARNESS_HASH,
	HARNESS_HASH_FEATURES, /* What HARNESS_HASH passes a miss on to. */
	HARNESS_N_REFERENCES,
};

struct harness;

/*
 * `n_sources` to draw from; the references' tables are made for as many.  `table_lines`: cache lines
 * of the table that the floor is to be as large as.
 */
int harness_open(uint32_t n_sources, uint32_t table_lines, struct harness **out,
		 struct sluice_err *err) __attribute__((warn_unused_result));
void harness_close(struct harness *harness);

int harness_reference_fd(const struct harness *harness, enum harness_reference reference);
/* The PERCPU_HASH of P1's features. */
int harness_features_fd(const struct harness *harness);

/* Fills P1's blocklist with the sources of a hit. */
int harness_fill_blocklist(struct harness *harness, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Which sources are drawn from now on. */
void harness_set_first(struct harness *harness, uint32_t first_source);
/* What the drawing programs call from now on: as a swap of P1's, `*ns` long (may be NULL). */
int harness_set_target(struct harness *harness, int prog_fd, uint64_t *ns)
	__attribute__((warn_unused_result));

/* Random sources through the target.  `*ns` per packet: CPU time of this thread, so that others' is
 * not in it. */
int harness_run(struct harness *harness, uint32_t packets, double *ns)
	__attribute__((warn_unused_result));
/* The same with random ports. */
int harness_run_ports(struct harness *harness, uint32_t packets, double *ns)
	__attribute__((warn_unused_result));
/* Each source once through the target, on this CPU. */
int harness_run_each(struct harness *harness) __attribute__((warn_unused_result));

/* Lets harness_flood() reach the pair by `device`, below REFERENCES_DEVICES. */
int harness_add_device(struct harness *harness, uint32_t device, const struct veth *veth)
	__attribute__((warn_unused_result));
/* Frames with random sources into a device.  `*ns` per frame, its receiver's work included. */
int harness_flood(struct harness *harness, uint32_t device, uint32_t frames, double *ns)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_HARNESS_H */
