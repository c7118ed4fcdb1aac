/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pinned folder of one data plane: `<pin_path>/v<layout>/`, with the header page, the maps and
 * the links.  One daemon at a time holds its lock.
 */
#ifndef SLUICE_DATAPLANE_STATE_H
#define SLUICE_DATAPLANE_STATE_H

#include <stdbool.h>

#include "dataplane.h"
#include "mapped.h"
#include "shared.h"

struct state {
	char folder[192];
	int lock_fd;
	bool adopted;		    /* An earlier daemon's header is there and sound. */
	struct sluice_header sizes; /* What the pinned maps are, or are to be, made for. */
	/* In each row; feature tables are not pinned, so they are as large as the config says. */
	uint32_t source4_buckets, source6_buckets;
};

/*
 * Opens or makes the folder, takes the lock, and settles the sizes: of what is pinned those of the
 * header, else from `options`.  -EBUSY: another daemon has it; -EPROTO: pinned memory that is not ours to read.
 */
int state_open(struct state *state, const struct dataplane_live_options *options,
	       struct sluice_err *err) __attribute__((warn_unused_result));
void state_close(struct state *state);

/* Without a folder: nothing is pinned, and the programs run on CPUs below `n_cpus` only. */
void state_open_unpinned(struct state *state, const struct dataplane_live_options *options,
			 uint32_t n_cpus);

/* IPv6 keys are so many times fewer than IPv4 ones, if the config does not say. */
#define STATE_V6_SHARE 8

/*
 * Keys that one CPU is to have room for.  Receive queues spread them over CPUs; twice the even share
 * leaves room for skew.
 */
uint32_t state_keys_per_cpu(uint32_t n_keys, uint32_t n_cpus);

/* IPv6 sources that are tracked per window. */
uint32_t state_max_sources_v6(const struct dataplane_live_options *options);

/* Removes everything pinned in the folder, and the folder. */
int state_remove(const char *folder, struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Writes a fresh header; the magic comes last, so that a torn one is told from a whole one.  The
 * hash key is drawn, unless `state->sizes` holds one.
 */
int state_header_write(const struct state *state, struct sluice_header *header,
		       struct sluice_err *err) __attribute__((warn_unused_result));

/* The unit in which IPv6 sources are measured and blocked, as two words in network byte order. */
void state_v6_mask(unsigned int prefix_len, uint64_t mask[2]);

#endif /* SLUICE_DATAPLANE_STATE_H */
