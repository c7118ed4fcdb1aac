/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What detectors asked for in one window: checked, widened to the policy's unit, each source once.
 */
#ifndef SLUICE_ENGINE_PROPOSALS_H
#define SLUICE_ENGINE_PROPOSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

struct address_secret;
struct name_table;
struct proposals;

struct proposal {
	struct sluice_key key;
	uint64_t pps;
	uint64_t sequence;	   /* Window of its first mention. */
	uint16_t detector, reason; /* struct name_table */
	uint64_t voters;	   /* Bits of the detectors that ask for it, by their place. */
	bool enforce;		   /* Some enforced detector asks for it. */
	char evidence[64];
};

int proposals_new(const struct address_secret *secret, struct proposals **out)
	__attribute__((warn_unused_result));
void proposals_free(struct proposals *proposals);

/* Who proposes from now on. */
struct proposals_author {
	uint64_t sequence; /* The window. */
	uint32_t max;	   /* As many proposals it may make. */
	uint16_t detector;
	size_t place; /* Among the detectors. */
	bool enforce;
	uint8_t v6_prefix_len;
};
void proposals_begin(struct proposals *proposals, const struct proposals_author *author);
/*
 * What can be said of a proposal alone: 0, with the source that it means in the policy's unit, or
 * -EINVAL.  Any thread.
 */
int proposals_check(const struct sluice_proposal *proposal, uint8_t v6_prefix_len,
		    struct sluice_key *key) __attribute__((warn_unused_result));
/* 0; -EINVAL malformed; -ENOSPC one too many; -ENOMEM. */
int proposals_add(struct proposals *proposals, struct name_table *names,
		  const struct sluice_proposal *proposal);
/* Forgets what was added since proposals_begin(): its author failed. */
void proposals_undo(struct proposals *proposals);
/* How many were added since proposals_begin(). */
uint32_t proposals_count(const struct proposals *proposals);

/*
 * One entry for each source; an enforced detector's word goes before an observing one's, then the
 * higher rate.  The order is that of the first proposal.  -ENOMEM: nothing was merged.
 */
int proposals_merge(struct proposals *proposals) __attribute__((warn_unused_result));
/* Valid until the next call; the caller may reorder it. */
struct proposal *proposals_list(struct proposals *proposals, size_t *n);
/* Keeps the first `n`. */
void proposals_keep(struct proposals *proposals, size_t n);

#endif /* SLUICE_ENGINE_PROPOSALS_H */
