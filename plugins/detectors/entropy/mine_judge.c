/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a conjunction hits, and whether that is honest.  Each condition is a bit per packet, so that
 * trying a conjunction is an AND and a count.
 */
#include "mine_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quic.h"

/* Who is no service has any port: hardly ever the one that a rule names, and many at once never. */
#define NAMED_PORT 0.125
/* What hosts get in general counts as so many samples: a quiet peace says little by itself. */
#define ORDINARY_SAMPLES 200.0

static size_t count(const uint64_t *bits, size_t words)
{
	size_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += (size_t)__builtin_popcountll(bits[i]);
	return n;
}

static void mark(const struct mine_packet *packets, size_t n, const struct sluice_rule_match *match,
		 uint64_t *bits)
{
	for (size_t i = 0; i < n; i++)
		if (mine_packet_fits(&packets[i], match))
			bits[i / 64] |= 1ull << (i % 64);
}

/* An ordinary packet fits a port, TTL or payload that nobody can know beforehand. */
static bool fits_ordinary(const struct mine_ordinary *ordinary,
			  const struct sluice_rule_match *match)
{
	const struct packet *packet = &ordinary->packet.packet;
	struct sluice_rule_match shape = *match;

	shape.fields &= ~(uint32_t)SLUICE_RULE_TTL;
	/*
	 * Under 1024 only services send: those that this host spoke to are known, and from others a
	 * reply is not ordinary.
	 */
	if (packet->source_port == MINE_ANY_PORT && match->source_port.from >= 1024)
		shape.fields &= ~(uint32_t)SLUICE_RULE_SOURCE_PORT;
	if (packet->destination_port == MINE_ANY_PORT)
		shape.fields &= ~(uint32_t)SLUICE_RULE_DESTINATION_PORT;
	if (match->length.from <= ordinary->longest && match->length.to >= packet->length)
		shape.fields &= ~(uint32_t)SLUICE_RULE_LENGTH;
	shape.payload_size = 0;
	return mine_packet_fits(&ordinary->packet, &shape);
}

static void mark_ordinary(const struct miner *miner, const struct sluice_rule_match *match,
			  uint64_t *bits)
{
	for (size_t i = 0; i < miner->n_ordinary; i++)
		if (fits_ordinary(&miner->input->ordinary[i], match))
			bits[i / 64] |= 1ull << (i % 64);
}

void mine_bits_mark(const struct miner *miner, const struct sluice_rule_match *match,
		    struct mine_bits *bits)
{
	memset(bits, 0, sizeof(*bits));
	mark(miner->input->samples, miner->n_samples, match, bits->samples);
	mark(miner->input->peace, miner->n_peace, match, bits->peace);
	mark_ordinary(miner, match, bits->ordinary);
	for (size_t i = 0; i < MINE_WORDS(MINE_MAX_SAMPLES); i++)
		bits->samples[i] &= miner->unexplained[i];
}

void mine_bits_both(const struct mine_bits *left, const struct mine_bits *right,
		    struct mine_bits *out)
{
	for (size_t i = 0; i < MINE_WORDS(MINE_MAX_SAMPLES); i++)
		out->samples[i] = left->samples[i] & right->samples[i];
	for (size_t i = 0; i < MINE_WORDS(MINE_MAX_PEACE); i++)
		out->peace[i] = left->peace[i] & right->peace[i];
	for (size_t i = 0; i < MINE_WORDS(MINE_MAX_ORDINARY); i++)
		out->ordinary[i] = left->ordinary[i] & right->ordinary[i];
}

static int compare_sources(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Who sent the samples that fit: how many, how evenly, how many of them new. */
static void count_sources(struct miner *miner, const struct mine_bits *bits, struct mine_rule *rule)
{
	size_t n = 0, n_new = 0;
	double xlogx = 0;

	for (size_t i = 0; i < miner->n_samples; i++)
		if (mine_bits_has(bits->samples, i)) {
			miner->sources[n++] = miner->input->samples[i].source;
			n_new += miner->input->samples[i].is_new;
		}
	qsort(miner->sources, n, sizeof(miner->sources[0]), compare_sources);
	rule->sources = 0;
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from; to < n && miner->sources[to] == miner->sources[from]; to++)
			;
		xlogx += (double)(to - from) * log2((double)(to - from));
		rule->sources++;
	}
	rule->new_share = n ? (double)n_new / (double)n : 0;
	rule->evenness = rule->sources > 1 ? (log2((double)n) - xlogx / (double)n) /
						     log2((double)rule->sources)
					   : 0;
}

static double ordinary_share(const struct miner *miner, const struct mine_candidate *candidate)
{
	bool names_port = candidate->dimensions & 1u << MINE_DIMENSION_SOURCE_PORT;
	double share = 0;

	for (size_t i = 0; i < miner->n_ordinary; i++) {
		const struct mine_ordinary *ordinary = &miner->input->ordinary[i];
		bool any = ordinary->packet.packet.source_port == MINE_ANY_PORT;

		if (mine_bits_has(candidate->bits.ordinary, i))
			share += ordinary->share * (any && names_port ? NAMED_PORT : 1);
	}
	return share;
}

void mine_judge_estimate(const struct miner *miner, struct mine_candidate *candidate)
{
	const struct mine_input *input = miner->input;
	struct mine_rule *rule = &candidate->rule;
	double peace = (double)count(candidate->bits.peace, MINE_WORDS(MINE_MAX_PEACE));
	/* From above: half a packet more than was seen. */
	double share = (peace + 0.5) / ((double)miner->n_peace + ORDINARY_SAMPLES + 1);

	rule->samples = (uint32_t)count(candidate->bits.samples, MINE_WORDS(MINE_MAX_SAMPLES));
	rule->benign_share = fmax(share, fmin(ordinary_share(miner, candidate), 1));
	rule->pps = rule->samples * input->pps_per_sample;
	rule->excess_pps = rule->pps - rule->benign_share * input->peace_pps;
	rule->coverage = (double)rule->samples / (double)miner->n_samples;
}

static struct quic_count count_quic(const struct miner *miner, const uint64_t *bits)
{
	struct quic_count count = { 0 };

	for (size_t i = 0; i < miner->n_samples; i++) {
		const struct mine_packet *packet = &miner->input->samples[i];

		if (mine_bits_has(bits, i))
			quic_count_add(&count, &packet->packet, packet->head, packet->head_size);
	}
	return count;
}

void mine_judge_begin(struct miner *miner)
{
	struct quic_count count = count_quic(miner, miner->unexplained);

	miner->is_quic_crowd = quic_is_crowd(&count);
}

/* Newcomers of one browser are as alike as a flood; what a rule takes of them has no first packets. */
static bool hits_quic_crowd(const struct miner *miner, const struct mine_bits *bits)
{
	struct quic_count count;

	if (!miner->is_quic_crowd)
		return false;
	count = count_quic(miner, bits->samples);
	return quic_fits(&count);
}

bool mine_judge_is_honest(struct miner *miner, struct mine_candidate *candidate)
{
	const struct mine_params *params = miner->params;
	struct mine_rule *rule = &candidate->rule;

	if (rule->benign_share > params->max_benign || rule->samples < params->min_sources ||
	    rule->excess_pps < params->min_pps ||
	    rule->pps < params->growth * rule->benign_share * miner->input->peace_pps)
		return false;
	if (hits_quic_crowd(miner, &candidate->bits))
		return false;
	count_sources(miner, &candidate->bits, rule);
	return rule->sources >= params->min_sources && rule->new_share >= params->new_share &&
	       rule->evenness >= params->min_evenness;
}
