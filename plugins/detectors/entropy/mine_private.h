/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The miner's parts: mine.c searches, mine_condition.c finds what can be asked for, mine_judge.c says
 * what a conjunction hits of the flood and of peace, and whether a rule may.
 */
#ifndef SLUICE_ENTROPY_MINE_PRIVATE_H
#define SLUICE_ENTROPY_MINE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mine.h"

#define MINE_BEAM 8
#define MINE_MAX_ATOMS 64 /* A bit each. */
#define MINE_WORDS(n) (((n) + 63) / 64)
#define MINE_MAX_ORDINARY 128

enum mine_dimension {
	MINE_DIMENSION_FLAGS,
	MINE_DIMENSION_SOURCE_PORT,
	MINE_DIMENSION_DESTINATION_PORT,
	MINE_DIMENSION_LENGTH,
	MINE_DIMENSION_TTL,
	MINE_DIMENSION_FRAGMENT,
	MINE_DIMENSION_HEAD,
	MINE_N_DIMENSIONS
};

/* Of each kind of packet, which ones. */
struct mine_bits {
	uint64_t samples[MINE_WORDS(MINE_MAX_SAMPLES)];
	uint64_t peace[MINE_WORDS(MINE_MAX_PEACE)];
	uint64_t ordinary[MINE_WORDS(MINE_MAX_ORDINARY)];
};

/* One condition. */
struct mine_atom {
	enum mine_dimension dimension;
	int64_t from, to;
	struct sluice_rule_match match;
	struct mine_bits bits;
};

/* A conjunction of conditions on one protocol. */
struct mine_candidate {
	uint64_t atoms; /* By their place. */
	unsigned int dimensions;
	struct mine_bits bits;
	double score;
	struct mine_rule rule;
};

struct miner {
	const struct mine_params *params;
	const struct mine_input *input;
	size_t n_samples, n_peace, n_ordinary;
	uint64_t unexplained[MINE_WORDS(MINE_MAX_SAMPLES)];
	struct mine_atom atoms[MINE_MAX_ATOMS];
	size_t n_atoms;
	struct mine_candidate beam[MINE_BEAM], next[MINE_BEAM], best;
	bool has_best;
	bool is_quic_crowd; /* What no rule explains, of UDP to its port. */
	uint64_t sources[MINE_MAX_SAMPLES];
};

static inline bool mine_bits_has(const uint64_t *bits, size_t at)
{
	return bits[at / 64] >> (at % 64) & 1;
}

/* Conditions that many of the samples in `bits` have in common, into `miner->atoms`. */
void mine_conditions_find(struct miner *miner, const struct sluice_rule_match *base,
			  const struct mine_bits *bits);

/* What a match fits; of the samples, only those that no rule explains yet. */
void mine_bits_mark(const struct miner *miner, const struct sluice_rule_match *match,
		    struct mine_bits *bits);
void mine_bits_both(const struct mine_bits *left, const struct mine_bits *right,
		    struct mine_bits *out);

/* What is to be known of all samples first. */
void mine_judge_begin(struct miner *miner);
/* What a rule of this conjunction would take, and of peace at most. */
void mine_judge_estimate(const struct miner *miner, struct mine_candidate *candidate);
/* Whether a rule may: harms few, is worth it, and is against many new senders alike, who are counted. */
bool mine_judge_is_honest(struct miner *miner, struct mine_candidate *candidate);

#endif /* SLUICE_ENTROPY_MINE_PRIVATE_H */
