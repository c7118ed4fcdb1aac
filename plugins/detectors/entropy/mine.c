/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditions are taken from the samples themselves; each is a bit per packet, so that trying a
 * conjunction is an AND and a count.  A beam of the most promising ones is made narrower step by step.
 */
#include "mine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BEAM 8
#define MAX_DEPTH 4
#define MAX_ATOMS 40
#define TOP_VALUES 4
#define WORDS(n) (((n) + 63) / 64)
#define N_ORDINARY_MAX 128
/* How much of what hosts get in general is to be expected here too. */
#define ORDINARY_WEIGHT 0.3
/* That knowledge counts as so many samples: a quiet peace says little by itself. */
#define ORDINARY_SAMPLES 200.0
/* A narrower rule may lose this much of what it covers. */
#define NARROW_LOSS 0.005
#define MAX_LENGTH_SPAN 64
#define MAX_TTL_SPAN 16

enum dimension {
	DIMENSION_FLAGS,
	DIMENSION_SOURCE_PORT,
	DIMENSION_DESTINATION_PORT,
	DIMENSION_LENGTH,
	DIMENSION_TTL,
	DIMENSION_FRAGMENT,
	DIMENSION_HEAD,
	N_DIMENSIONS
};

struct bits {
	uint64_t samples[WORDS(MINE_MAX_SAMPLES)];
	uint64_t peace[WORDS(MINE_MAX_PEACE)];
	uint64_t ordinary[WORDS(N_ORDINARY_MAX)];
};

/* One condition. */
struct atom {
	enum dimension dimension;
	struct sluice_rule_match match;
	struct bits bits;
};

/* A conjunction of conditions on one protocol. */
struct candidate {
	uint64_t atoms; /* By their place. */
	unsigned int dimensions;
	struct bits bits;
	double score;
	struct mine_rule rule;
};

struct miner {
	const struct mine_params *params;
	const struct mine_input *input;
	size_t n_samples, n_peace, n_ordinary;
	uint64_t unexplained[WORDS(MINE_MAX_SAMPLES)];
	struct atom atoms[MAX_ATOMS];
	size_t n_atoms;
	struct candidate beam[BEAM], next[BEAM], best;
	bool has_best;
	uint64_t sources[MINE_MAX_SAMPLES];
};

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

static size_t count(const uint64_t *bits, size_t words)
{
	size_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += (size_t)__builtin_popcountll(bits[i]);
	return n;
}

static bool is_set(const uint64_t *bits, size_t at)
{
	return bits[at / 64] >> (at % 64) & 1;
}

static void mark(const struct mine_packet *packets, size_t n, const struct sluice_rule_match *match,
		 uint64_t *bits)
{
	for (size_t i = 0; i < n; i++)
		if (mine_packet_fits(&packets[i], match))
			bits[i / 64] |= 1ull << (i % 64);
}

/* An ordinary packet fits a port, TTL or payload that nobody can know beforehand. */
static void mark_ordinary(const struct miner *miner, const struct sluice_rule_match *match,
			  uint64_t *bits)
{
	for (size_t i = 0; i < miner->n_ordinary; i++) {
		const struct mine_packet *packet = &miner->input->ordinary[i];
		struct sluice_rule_match shape = *match;

		shape.fields &= ~(uint32_t)SLUICE_RULE_TTL;
		/*
		 * Under 1024 only services send: those that this host spoke to are known, and from
		 * others a reply is not ordinary.
		 */
		if (packet->packet.source_port == MINE_ANY_PORT && match->source_port.from >= 1024)
			shape.fields &= ~(uint32_t)SLUICE_RULE_SOURCE_PORT;
		if (packet->packet.destination_port == MINE_ANY_PORT)
			shape.fields &= ~(uint32_t)SLUICE_RULE_DESTINATION_PORT;
		shape.payload_size = 0;
		if (mine_packet_fits(packet, &shape))
			bits[i / 64] |= 1ull << (i % 64);
	}
}

static void mark_all(const struct miner *miner, const struct sluice_rule_match *match,
		     struct bits *bits)
{
	memset(bits, 0, sizeof(*bits));
	mark(miner->input->samples, miner->n_samples, match, bits->samples);
	mark(miner->input->peace, miner->n_peace, match, bits->peace);
	mark_ordinary(miner, match, bits->ordinary);
	for (size_t i = 0; i < WORDS(MINE_MAX_SAMPLES); i++)
		bits->samples[i] &= miner->unexplained[i];
}

static void both(const struct bits *left, const struct bits *right, struct bits *out)
{
	for (size_t i = 0; i < WORDS(MINE_MAX_SAMPLES); i++)
		out->samples[i] = left->samples[i] & right->samples[i];
	for (size_t i = 0; i < WORDS(MINE_MAX_PEACE); i++)
		out->peace[i] = left->peace[i] & right->peace[i];
	for (size_t i = 0; i < WORDS(N_ORDINARY_MAX); i++)
		out->ordinary[i] = left->ordinary[i] & right->ordinary[i];
}

/* The value of a dimension; negative: the packet has none. */
static int64_t value_of(const struct mine_packet *packet, enum dimension dimension)
{
	uint32_t head;

	switch (dimension) {
	case DIMENSION_FLAGS:
		return packet->packet.tcp_flags < 0 ? -1 : packet->packet.tcp_flags & 0x3f;
	case DIMENSION_SOURCE_PORT:
		return packet->packet.source_port;
	case DIMENSION_DESTINATION_PORT:
		return packet->packet.destination_port;
	case DIMENSION_LENGTH:
		return packet->packet.length;
	case DIMENSION_TTL:
		return packet->packet.ttl;
	case DIMENSION_FRAGMENT:
		return packet->packet.fragment;
	case DIMENSION_HEAD:
		if (packet->head_size < MINE_HEAD_SIZE)
			return -1;
		memcpy(&head, packet->head, sizeof(head));
		return head;
	case N_DIMENSIONS:
		break;
	}
	return -1;
}

static struct sluice_rule_range range(int64_t from, int64_t to)
{
	return (struct sluice_rule_range){ (uint16_t)from, (uint16_t)to };
}

/* What asks for a value from `from` to `to`; only lengths and TTLs have ranges. */
static void ask(struct sluice_rule_match *match, enum dimension dimension, int64_t from, int64_t to)
{
	uint32_t head = (uint32_t)from;

	switch (dimension) {
	case DIMENSION_FLAGS:
		match->fields |= SLUICE_RULE_TCP_FLAGS;
		match->tcp_mask = 0x3f;
		match->tcp_value = (uint8_t)from;
		break;
	case DIMENSION_SOURCE_PORT:
		match->fields |= SLUICE_RULE_SOURCE_PORT;
		match->source_port = range(from, to);
		break;
	case DIMENSION_DESTINATION_PORT:
		match->fields |= SLUICE_RULE_DESTINATION_PORT;
		match->destination_port = range(from, to);
		break;
	case DIMENSION_LENGTH:
		match->fields |= SLUICE_RULE_LENGTH;
		match->length = range(from, to);
		break;
	case DIMENSION_TTL:
		match->fields |= SLUICE_RULE_TTL;
		match->ttl = range(from, to);
		break;
	case DIMENSION_FRAGMENT:
		match->fields |= SLUICE_RULE_FRAGMENT;
		match->fragment = (uint8_t)from;
		break;
	case DIMENSION_HEAD:
		match->payload_size = MINE_HEAD_SIZE;
		memcpy(match->payload, &head, sizeof(head));
		memset(match->payload_mask, 0xff, MINE_HEAD_SIZE);
		break;
	case N_DIMENSIONS:
		break;
	}
}

static void add_atom(struct miner *miner, const struct sluice_rule_match *base,
		     enum dimension dimension, int64_t from, int64_t to)
{
	struct atom *atom;

	if (miner->n_atoms == MAX_ATOMS)
		return;
	atom = &miner->atoms[miner->n_atoms++];
	atom->dimension = dimension;
	atom->match = *base;
	ask(&atom->match, dimension, from, to);
	mark_all(miner, &atom->match, &atom->bits);
}

static int compare_values(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The most frequent of sorted values, one condition each. */
static void add_top_values(struct miner *miner, const struct sluice_rule_match *base,
			   enum dimension dimension, const int64_t *values, size_t n, size_t least)
{
	size_t before = SIZE_MAX, before_at = 0;

	for (int rank = 0; rank < TOP_VALUES; rank++) {
		size_t best = 0, best_at = 0;

		for (size_t from = 0, to; from < n; from = to) {
			for (to = from; to < n && values[to] == values[from]; to++)
				;
			if (to - from > best &&
			    (to - from < before || (to - from == before && from > before_at))) {
				best = to - from;
				best_at = from;
			}
		}
		if (best < least || best == 0)
			return;
		before = best;
		before_at = best_at;
		if (dimension != DIMENSION_FRAGMENT || values[best_at] != SLUICE_RULE_FRAGMENT_NONE)
			add_atom(miner, base, dimension, values[best_at], values[best_at]);
	}
}

/* The shortest range with nearly all of the sorted values. */
static void add_range(struct miner *miner, const struct sluice_rule_match *base,
		      enum dimension dimension, const int64_t *values, size_t n, int64_t max_span)
{
	size_t inside = n - n / 32, best = 0;

	for (size_t i = 0; i + inside <= n; i++)
		if (values[i + inside - 1] - values[i] < values[best + inside - 1] - values[best])
			best = i;
	if (values[best + inside - 1] - values[best] <= max_span &&
	    values[best] != values[best + inside - 1])
		add_atom(miner, base, dimension, values[best], values[best + inside - 1]);
}

static void make_atoms(struct miner *miner, const struct sluice_rule_match *base,
		       const struct bits *bits)
{
	int64_t values[MINE_MAX_SAMPLES];

	miner->n_atoms = 0;
	for (int dimension = 0; dimension < N_DIMENSIONS; dimension++) {
		size_t n = 0;

		for (size_t i = 0; i < miner->n_samples; i++) {
			int64_t value;

			if (!is_set(bits->samples, i))
				continue;
			value = value_of(&miner->input->samples[i], (enum dimension)dimension);
			if (value >= 0)
				values[n++] = value;
		}
		if (n < miner->params->min_sources)
			continue;
		qsort(values, n, sizeof(values[0]), compare_values);
		add_top_values(miner, base, (enum dimension)dimension, values, n,
			       miner->params->min_sources);
		if (dimension == DIMENSION_LENGTH || dimension == DIMENSION_TTL)
			add_range(miner, base, (enum dimension)dimension, values, n,
				  dimension == DIMENSION_TTL ? MAX_TTL_SPAN : MAX_LENGTH_SPAN);
	}
}

static int compare_sources(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Who sent the samples that fit: how many, how evenly, how many of them new. */
static void count_sources(struct miner *miner, const struct bits *bits, struct mine_rule *rule)
{
	size_t n = 0, n_new = 0;
	double xlogx = 0;

	for (size_t i = 0; i < miner->n_samples; i++)
		if (is_set(bits->samples, i)) {
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

static void estimate(const struct miner *miner, const struct bits *bits, struct mine_rule *rule)
{
	const struct mine_input *input = miner->input;
	double peace = (double)count(bits->peace, WORDS(MINE_MAX_PEACE));
	double ordinary = (double)count(bits->ordinary, WORDS(N_ORDINARY_MAX));
	/* From above: half a packet more than was seen. */
	double share = (peace + 0.5) / ((double)miner->n_peace + ORDINARY_SAMPLES + 1);

	rule->samples = (uint32_t)count(bits->samples, WORDS(MINE_MAX_SAMPLES));
	if (miner->n_ordinary)
		share = fmax(share, ORDINARY_WEIGHT * ordinary / (double)miner->n_ordinary);
	rule->benign_share = share;
	rule->pps = rule->samples * input->pps_per_sample;
	rule->excess_pps = rule->pps - share * input->peace_pps;
	rule->coverage = (double)rule->samples / (double)miner->n_samples;
}

static bool is_honest(struct miner *miner, struct candidate *candidate)
{
	const struct mine_params *params = miner->params;
	struct mine_rule *rule = &candidate->rule;

	if (rule->benign_share > params->max_benign || rule->samples < params->min_sources ||
	    rule->excess_pps < params->min_pps ||
	    rule->pps < params->growth * rule->benign_share * miner->input->peace_pps)
		return false;
	count_sources(miner, &candidate->bits, rule);
	return rule->sources >= params->min_sources && rule->new_share >= params->new_share &&
	       rule->evenness >= params->min_evenness;
}

/* More of the flood comes first, then less of peace, then the shorter rule. */
static bool is_better(const struct candidate *left, const struct candidate *right)
{
	if (left->rule.samples != right->rule.samples)
		return left->rule.samples > right->rule.samples;
	if (left->rule.benign_share != right->rule.benign_share)
		return left->rule.benign_share < right->rule.benign_share;
	return __builtin_popcount(left->dimensions) < __builtin_popcount(right->dimensions);
}

static bool is_in_beam(const struct candidate *beam, size_t n, uint64_t atoms)
{
	for (size_t i = 0; i < n; i++)
		if (beam[i].atoms == atoms)
			return true;
	return false;
}

static size_t beam_add(struct candidate *beam, size_t n, const struct candidate *candidate)
{
	size_t at;

	if (is_in_beam(beam, n, candidate->atoms))
		return n;
	if (n == BEAM) {
		if (beam[n - 1].score >= candidate->score)
			return n;
		n--;
	}
	for (at = n; at > 0 && beam[at - 1].score < candidate->score; at--)
		beam[at] = beam[at - 1];
	beam[at] = *candidate;
	return n + 1;
}

static bool widen_with(struct miner *miner, const struct candidate *from, size_t at,
		       struct candidate *out)
{
	const struct atom *atom = &miner->atoms[at];

	if (from->dimensions & 1u << atom->dimension)
		return false;
	both(&from->bits, &atom->bits, &out->bits);
	out->atoms = from->atoms | 1ull << at;
	out->dimensions = from->dimensions | 1u << atom->dimension;
	estimate(miner, &out->bits, &out->rule);
	/* Covering much of the flood against little of peace, as an odds that narrowing can raise. */
	out->score = out->rule.coverage * -log2(out->rule.benign_share);
	return out->rule.samples >= miner->params->min_sources;
}

static void consider(struct miner *miner, struct candidate *candidate)
{
	if ((!miner->has_best || is_better(candidate, &miner->best)) &&
	    is_honest(miner, candidate)) {
		miner->best = *candidate;
		miner->has_best = true;
	}
}

static void search(struct miner *miner, const struct sluice_rule_match *base)
{
	struct candidate trial = { 0 };
	size_t n = 1;

	mark_all(miner, base, &trial.bits);
	estimate(miner, &trial.bits, &trial.rule);
	trial.rule.match = *base;
	if (trial.rule.samples < miner->params->min_sources)
		return;
	make_atoms(miner, base, &trial.bits);
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
		struct candidate trial = { 0 };

		if (miner->atoms[at].dimension > DIMENSION_LENGTH ||
		    miner->atoms[at].match.length.from != miner->atoms[at].match.length.to ||
		    !widen_with(miner, &miner->best, at, &trial) ||
		    trial.rule.samples < (1 - NARROW_LOSS) * miner->best.rule.samples ||
		    !is_honest(miner, &trial))
			continue;
		trial.rule.match = miner->best.rule.match;
		miner->best = trial;
	}
}

/* All conditions of a conjunction in one match. */
static void join(const struct miner *miner, const struct sluice_rule_match *base,
		 const struct candidate *candidate, struct sluice_rule_match *match)
{
	*match = *base;
	for (size_t i = 0; i < miner->n_atoms; i++) {
		const struct atom *atom = &miner->atoms[i];

		if (!(candidate->atoms >> i & 1))
			continue;
		match->fields |= atom->match.fields;
		if (atom->dimension == DIMENSION_FLAGS) {
			match->tcp_mask = atom->match.tcp_mask;
			match->tcp_value = atom->match.tcp_value;
		}
		if (atom->dimension == DIMENSION_SOURCE_PORT)
			match->source_port = atom->match.source_port;
		if (atom->dimension == DIMENSION_DESTINATION_PORT)
			match->destination_port = atom->match.destination_port;
		if (atom->dimension == DIMENSION_LENGTH)
			match->length = atom->match.length;
		if (atom->dimension == DIMENSION_TTL)
			match->ttl = atom->match.ttl;
		if (atom->dimension == DIMENSION_FRAGMENT)
			match->fragment = atom->match.fragment;
		if (atom->dimension == DIMENSION_HEAD) {
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

		if (!is_set(miner->unexplained, i) || was_tried(tried, n_tried, kind))
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
	miner->n_ordinary = least(input->n_ordinary, N_ORDINARY_MAX);
	memset(miner->unexplained, 0, sizeof(miner->unexplained));
	for (size_t i = 0; i < miner->n_samples; i++)
		miner->unexplained[i / 64] |= 1ull << (i % 64);
	while (n < max && best_rule(miner, &rules[n])) {
		for (size_t i = 0; i < miner->n_samples; i++)
			if (mine_packet_fits(&input->samples[i], &rules[n].match))
				miner->unexplained[i / 64] &= ~(1ull << (i % 64));
		n++;
	}
	return n;
}
