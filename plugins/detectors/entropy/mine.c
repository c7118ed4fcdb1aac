/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search: a beam of the most promising conjunctions is made narrower step by step, and the best
 * honest one on its way is a rule; then the same for what that leaves unexplained.
 */
#include "mine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mine_private.h"

#define MAX_DEPTH 4
/* A narrower rule may lose this much of what it covers. */
#define NARROW_LOSS 0.005

struct miner *miner_new(void)
{
	return calloc(1, sizeof(struct miner));
}

void miner_free(struct miner *miner)
{
	free(miner);
}

void mine_packet_set(struct mine_packet *out, const struct packet *packet, uint64_t source,
		     bool is_new)
{
	memset(out, 0, sizeof(*out));
	out->packet = *packet;
	out->source = source;
	out->is_new = is_new;
	if (packet->payload) {
		out->head_size = packet->payload_size < MINE_HEAD_SIZE
					 ? (uint8_t)packet->payload_size
					 : MINE_HEAD_SIZE;
		memcpy(out->head, packet->payload, out->head_size);
	}
	out->packet.payload = NULL;
	out->packet.payload_size = 0;
}

bool mine_packet_fits(const struct mine_packet *packet, const struct sluice_rule_match *match)
{
	struct sluice_rule_match headers = *match;

	headers.payload_size = 0;
	if (!packet_matches(&packet->packet, &headers))
		return false;
	if (match->payload_offset + (size_t)match->payload_size > packet->head_size)
		return match->payload_size == 0;
	for (uint8_t i = 0; i < match->payload_size; i++)
		if ((packet->head[match->payload_offset + i] & match->payload_mask[i]) !=
		    match->payload[i])
			return false;
	return true;
}

/* More of the flood comes first, then less of peace, then the shorter rule. */
static bool is_better(const struct mine_candidate *left, const struct mine_candidate *right)
{
	if (left->rule.samples != right->rule.samples)
		return left->rule.samples > right->rule.samples;
	if (left->rule.benign_share != right->rule.benign_share)
		return left->rule.benign_share < right->rule.benign_share;
	return __builtin_popcount(left->dimensions) < __builtin_popcount(right->dimensions);
}

static bool is_in_beam(const struct mine_candidate *beam, size_t n, uint64_t atoms)
{
	for (size_t i = 0; i < n; i++)
		if (beam[i].atoms == atoms)
			return true;
	return false;
}

static size_t beam_add(struct mine_candidate *beam, size_t n,
		       const struct mine_candidate *candidate)
{
	size_t at;

	if (is_in_beam(beam, n, candidate->atoms))
		return n;
	if (n == MINE_BEAM) {
		if (beam[n - 1].score >= candidate->score)
			return n;
		n--;
	}
	for (at = n; at > 0 && beam[at - 1].score < candidate->score; at--)
		beam[at] = beam[at - 1];
	beam[at] = *candidate;
	return n + 1;
}

static bool widen_with(struct miner *miner, const struct mine_candidate *from, size_t at,
		       struct mine_candidate *out)
{
	const struct mine_atom *atom = &miner->atoms[at];

	if (from->dimensions & 1u << atom->dimension)
		return false;
	mine_bits_both(&from->bits, &atom->bits, &out->bits);
	out->atoms = from->atoms | 1ull << at;
	out->dimensions = from->dimensions | 1u << atom->dimension;
	mine_judge_estimate(miner, out);
	/* Covering much of the flood against little of peace, as an odds that narrowing can raise. */
	out->score = out->rule.coverage * -log2(out->rule.benign_share);
	return out->rule.samples >= miner->params->min_sources;
}

static void consider(struct miner *miner, struct mine_candidate *candidate)
{
	if ((!miner->has_best || is_better(candidate, &miner->best)) &&
	    mine_judge_is_honest(miner, candidate)) {
		miner->best = *candidate;
		miner->has_best = true;
	}
}

static void search(struct miner *miner, const struct sluice_rule_match *base)
{
	struct mine_candidate trial = { 0 };
	size_t n = 1;

	mine_bits_mark(miner, base, &trial.bits);
	mine_judge_estimate(miner, &trial);
	trial.rule.match = *base;
	if (trial.rule.samples < miner->params->min_sources)
		return;
	/* Of a protocol that nobody uses here, whatever it carries. */
	consider(miner, &trial);
	mine_conditions_find(miner, base, &trial.bits);
	miner->beam[0] = trial;
	for (int depth = 0; depth < MAX_DEPTH && n > 0; depth++) {
		size_t n_next = 0;

		for (size_t i = 0; i < n; i++)
			for (size_t at = 0; at < miner->n_atoms; at++) {
				trial.rule.match = *base;
				if (!widen_with(miner, &miner->beam[i], at, &trial))
					continue;
				consider(miner, &trial);
				n_next = beam_add(miner->next, n_next, &trial);
			}
		n = n_next;
		memcpy(miner->beam, miner->next, n * sizeof(miner->beam[0]));
	}
}

/* Whoever hits less at nearly the same cost of coverage: flags and ports, which tools keep. */
static void narrow(struct miner *miner)
{
	for (size_t at = 0; at < miner->n_atoms; at++) {
		struct mine_candidate trial = { 0 };

		if (miner->atoms[at].dimension > MINE_DIMENSION_LENGTH ||
		    miner->atoms[at].match.length.from != miner->atoms[at].match.length.to ||
		    !widen_with(miner, &miner->best, at, &trial) ||
		    trial.rule.samples < (1 - NARROW_LOSS) * miner->best.rule.samples ||
		    !mine_judge_is_honest(miner, &trial))
			continue;
		trial.rule.match = miner->best.rule.match;
		miner->best = trial;
	}
}

/* All conditions of a conjunction in one match. */
static void join(const struct miner *miner, const struct sluice_rule_match *base,
		 const struct mine_candidate *candidate, struct sluice_rule_match *match)
{
	*match = *base;
	for (size_t i = 0; i < miner->n_atoms; i++) {
		const struct mine_atom *atom = &miner->atoms[i];

		if (!(candidate->atoms >> i & 1))
			continue;
		match->fields |= atom->match.fields;
		if (atom->dimension == MINE_DIMENSION_FLAGS) {
			match->tcp_mask = atom->match.tcp_mask;
			match->tcp_value = atom->match.tcp_value;
		}
		if (atom->dimension == MINE_DIMENSION_SOURCE_PORT)
			match->source_port = atom->match.source_port;
		if (atom->dimension == MINE_DIMENSION_DESTINATION_PORT)
			match->destination_port = atom->match.destination_port;
		if (atom->dimension == MINE_DIMENSION_LENGTH)
			match->length = atom->match.length;
		if (atom->dimension == MINE_DIMENSION_TTL)
			match->ttl = atom->match.ttl;
		if (atom->dimension == MINE_DIMENSION_FRAGMENT)
			match->fragment = atom->match.fragment;
		if (atom->dimension == MINE_DIMENSION_HEAD) {
			match->payload_size = atom->match.payload_size;
			memcpy(match->payload, atom->match.payload, sizeof(match->payload));
			memcpy(match->payload_mask, atom->match.payload_mask,
			       sizeof(match->payload_mask));
		}
	}
}

/* The best rule on one protocol of one family into `out`; false if there is none. */
static bool best_of(struct miner *miner, const struct mine_packet *example, struct mine_rule *out)
{
	struct sluice_rule_match base = {
		.size = sizeof(base),
		.fields = SLUICE_RULE_PROTOCOL,
		.family = example->packet.source.family,
		.protocol = example->packet.protocol,
	};

	miner->has_best = false;
	search(miner, &base);
	if (!miner->has_best)
		return false;
	narrow(miner);
	*out = miner->best.rule;
	join(miner, &base, &miner->best, &out->match);
	return true;
}

static bool was_tried(const uint32_t *tried, size_t n, uint32_t kind)
{
	for (size_t i = 0; i < n; i++)
		if (tried[i] == kind)
			return true;
	return false;
}

static bool best_rule(struct miner *miner, struct mine_rule *out)
{
	uint32_t tried[16];
	size_t n_tried = 0;
	bool found = false;

	for (size_t i = 0; i < miner->n_samples && n_tried < 16; i++) {
		const struct mine_packet *packet = &miner->input->samples[i];
		uint32_t kind = (uint32_t)packet->packet.source.family << 8 |
				packet->packet.protocol;
		struct mine_rule rule;

		if (!mine_bits_has(miner->unexplained, i) || was_tried(tried, n_tried, kind))
			continue;
		tried[n_tried++] = kind;
		if (best_of(miner, packet, &rule) && (!found || rule.samples > out->samples)) {
			*out = rule;
			found = true;
		}
	}
	return found;
}

static size_t least(size_t left, size_t right)
{
	return left < right ? left : right;
}

size_t miner_run(struct miner *miner, const struct mine_params *params,
		 const struct mine_input *input, struct mine_rule rules[MINE_MAX_RULES])
{
	size_t n = 0, max = least(params->max_rules, MINE_MAX_RULES);

	miner->params = params;
	miner->input = input;
	miner->n_samples = least(input->n_samples, MINE_MAX_SAMPLES);
	miner->n_peace = least(input->n_peace, MINE_MAX_PEACE);
	miner->n_ordinary = least(input->n_ordinary, MINE_MAX_ORDINARY);
	memset(miner->unexplained, 0, sizeof(miner->unexplained));
	for (size_t i = 0; i < miner->n_samples; i++)
		miner->unexplained[i / 64] |= 1ull << (i % 64);
	mine_judge_begin(miner);
	while (n < max && best_rule(miner, &rules[n])) {
		for (size_t i = 0; i < miner->n_samples; i++)
			if (mine_packet_fits(&input->samples[i], &rules[n].match))
				miner->unexplained[i / 64] &= ~(1ull << (i % 64));
		n++;
	}
	return n;
}
