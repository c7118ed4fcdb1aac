/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The feature programs behind the one per source, of one side: loads those that detectors need,
 * chains them (bpf/feature_chain.h), and reads what they counted while the side is idle.
 */
#ifndef SLUICE_DATAPLANE_FEATURE_CHAIN_H
#define SLUICE_DATAPLANE_FEATURE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"

struct deliver_maps;
struct feature_chain;
struct sluice_header;

struct feature_chain_options {
	struct dataplane_features features;
	bool shared;			    /* As struct live_side_options has it. */
	unsigned int side;		    /* 0 or 1 */
	const struct sluice_header *header; /* The page; must outlive the chain. */
	const struct deliver_maps *deliver; /* The filter's. */
	int header_fd;
	bool replays; /* Time and chance come from the header page. */
	int chain_fd; /* The side's sluice_chain, which the program per source goes on to. */
};

/* The slot that the program per source goes on to; FEATURE_CHAIN_END if it is the last. */
uint32_t feature_chain_first(uint32_t features);

int feature_chain_open(const struct feature_chain_options *options, struct feature_chain **out,
		       struct sluice_err *err) __attribute__((warn_unused_result));
/* NULL is a no-op. */
void feature_chain_free(struct feature_chain *chain);

/* Before the side begins to count: about `expected` packets will pass until the next swap. */
void feature_chain_begin(struct feature_chain *chain, uint64_t expected);

/* Before an epoch comes round again: nothing may carry it from long ago. */
void feature_chain_wipe(struct feature_chain *chain);

/* The side must be idle.  Pointers are valid until it begins again, or is freed. */
void feature_chain_read(struct feature_chain *chain, struct dataplane_features_read *read);

#endif /* SLUICE_DATAPLANE_FEATURE_CHAIN_H */
