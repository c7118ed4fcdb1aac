/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One of the two sides that take turns in counting: the program per source, and the chain of
 * features behind it.  Dual program: each side has one of its own; dual map: they share one, which
 * asks the header page.  Private to the live_*.c files.
 */
#ifndef SLUICE_DATAPLANE_LIVE_SIDE_H
#define SLUICE_DATAPLANE_LIVE_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"

struct deliver_maps;
struct live_program;
struct feature_chain;
struct distinct_registers;
struct live_tables;
struct sluice_header;

struct live_side {
	struct live_program *program;
	struct distinct_registers *distinct; /* One a CPU, of this side; the tables'. */
	uint32_t n_cpus;
	struct feature_chain *chain;
};

struct live_side_options {
	const struct sluice_header *sizes;
	const struct sluice_header *header; /* The page; must outlive the side. */
	const struct live_tables *tables;   /* Must outlive the side. */
	const struct deliver_maps *deliver; /* The filter's. */
	int header_fd, counters_fd;	    /* The filter's maps. */
	enum dataplane_swap_design swap;
	bool shared;		      /* Called from libxdp's dispatcher; see xdp_frags.h. */
	unsigned int side;	      /* 0 or 1 */
	const struct live_side *twin; /* The other one, of the same features; NULL: comes later. */
	struct dataplane_features features;
	bool replays; /* Time and chance come from the header page. */
};

int live_side_open(const struct live_side_options *options, struct live_side **out,
		   struct sluice_err *err) __attribute__((warn_unused_result));
/* No CPU may run its programs any more.  NULL is a no-op. */
void live_side_free(struct live_side *side);

/* The program that the filter goes on to. */
int live_side_program_fd(const struct live_side *side);

/*
 * Before the side counts: forgets what nobody read.  About `expected` packets will pass until the
 * next swap.
 */
void live_side_begin(struct live_side *side, uint64_t expected);

/* Before its epoch comes round again. */
void live_side_wipe(struct live_side *side);

/* While the side is idle: all but the sources. */
void live_side_read(struct live_side *side, struct dataplane_features_read *read);

#endif /* SLUICE_DATAPLANE_LIVE_SIDE_H */
