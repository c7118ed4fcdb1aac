/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be asked for: conditions are taken from the samples themselves, the most frequent values
 * and the shortest ranges.
 */
#include "mine_private.h"

#include <stdlib.h>
#include <string.h>

#define TOP_VALUES 4
#define MAX_LENGTH_SPAN 64
#define MAX_TTL_SPAN 16
#define RANGE_MARGIN 8 /* The part of a range by which it may be too short. */

/* The value of a dimension; negative: the packet has none. */
static int64_t value_of(const struct mine_packet *packet, enum mine_dimension dimension)
{
	uint32_t head;

	switch (dimension) {
	case MINE_DIMENSION_FLAGS:
		return packet->packet.tcp_flags < 0 ? -1 : packet->packet.tcp_flags & 0x3f;
	case MINE_DIMENSION_SOURCE_PORT:
		return packet->packet.source_port;
	case MINE_DIMENSION_DESTINATION_PORT:
		return packet->packet.destination_port;
	case MINE_DIMENSION_LENGTH:
		return packet->packet.length;
	case MINE_DIMENSION_TTL:
		return packet->packet.ttl;
	case MINE_DIMENSION_FRAGMENT:
		return packet->packet.fragment;
	case MINE_DIMENSION_HEAD:
		if (packet->head_size < MINE_HEAD_SIZE)
			return -1;
		memcpy(&head, packet->head, sizeof(head));
		return head;
	case MINE_N_DIMENSIONS:
		break;
	}
	return -1;
}

static struct sluice_rule_range range(int64_t from, int64_t to)
{
	return (struct sluice_rule_range){ (uint16_t)from, (uint16_t)to };
}

/* What asks for a value from `from` to `to`; only lengths and TTLs have ranges. */
static void ask(struct sluice_rule_match *match, enum mine_dimension dimension, int64_t from,
		int64_t to)
{
	uint32_t head = (uint32_t)from;

	switch (dimension) {
	case MINE_DIMENSION_FLAGS:
		match->fields |= SLUICE_RULE_TCP_FLAGS;
		match->tcp_mask = 0x3f;
		match->tcp_value = (uint8_t)from;
		break;
	case MINE_DIMENSION_SOURCE_PORT:
		match->fields |= SLUICE_RULE_SOURCE_PORT;
		match->source_port = range(from, to);
		break;
	case MINE_DIMENSION_DESTINATION_PORT:
		match->fields |= SLUICE_RULE_DESTINATION_PORT;
		match->destination_port = range(from, to);
		break;
	case MINE_DIMENSION_LENGTH:
		match->fields |= SLUICE_RULE_LENGTH;
		match->length = range(from, to);
		break;
	case MINE_DIMENSION_TTL:
		match->fields |= SLUICE_RULE_TTL;
		match->ttl = range(from, to);
		break;
	case MINE_DIMENSION_FRAGMENT:
		match->fields |= SLUICE_RULE_FRAGMENT;
		match->fragment = (uint8_t)from;
		break;
	case MINE_DIMENSION_HEAD:
		match->payload_size = MINE_HEAD_SIZE;
		memcpy(match->payload, &head, sizeof(head));
		memset(match->payload_mask, 0xff, MINE_HEAD_SIZE);
		break;
	case MINE_N_DIMENSIONS:
		break;
	}
}

static bool is_there(const struct miner *miner, enum mine_dimension dimension, int64_t from,
		     int64_t to)
{
	for (size_t i = 0; i < miner->n_atoms; i++)
		if (miner->atoms[i].dimension == dimension && miner->atoms[i].from == from &&
		    miner->atoms[i].to == to)
			return true;
	return false;
}

static void add_atom(struct miner *miner, const struct sluice_rule_match *base,
		     enum mine_dimension dimension, int64_t from, int64_t to)
{
	struct mine_atom *atom;

	if (miner->n_atoms == MINE_MAX_ATOMS || is_there(miner, dimension, from, to))
		return;
	atom = &miner->atoms[miner->n_atoms++];
	atom->dimension = dimension;
	atom->from = from;
	atom->to = to;
	atom->match = *base;
	ask(&atom->match, dimension, from, to);
	mine_bits_mark(miner, &atom->match, &atom->bits);
}

static int compare_values(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The most frequent of sorted values, one condition each. */
static void add_top_values(struct miner *miner, const struct sluice_rule_match *base,
			   enum mine_dimension dimension, const int64_t *values, size_t n,
			   size_t least)
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
		if (dimension != MINE_DIMENSION_FRAGMENT ||
		    values[best_at] != SLUICE_RULE_FRAGMENT_NONE)
			add_atom(miner, base, dimension, values[best_at], values[best_at]);
	}
}

static int64_t least_of(int64_t left, int64_t right)
{
	return left < right ? left : right;
}

/* The shortest range with nearly all of the sorted values, and a little more. */
static void add_range(struct miner *miner, const struct sluice_rule_match *base,
		      enum mine_dimension dimension, const int64_t *values, size_t n,
		      int64_t max_span)
{
	size_t inside = n - n / 32, best = 0;
	int64_t span, margin, most = dimension == MINE_DIMENSION_TTL ? UINT8_MAX : UINT16_MAX;

	for (size_t i = 0; i + inside <= n; i++)
		if (values[i + inside - 1] - values[i] < values[best + inside - 1] - values[best])
			best = i;
	span = values[best + inside - 1] - values[best];
	if (span > max_span || span == 0)
		return;
	add_atom(miner, base, dimension, values[best], values[best + inside - 1]);
	/* A few samples seldom show both ends. */
	margin = 1 + span / RANGE_MARGIN;
	add_atom(miner, base, dimension, values[best] > margin ? values[best] - margin : 0,
		 least_of(values[best + inside - 1] + margin, most));
}

/* What the samples in `bits` have in a dimension, sorted; returns how many have anything. */
static size_t collect(const struct miner *miner, const struct mine_bits *bits,
		      enum mine_dimension dimension, int64_t values[MINE_MAX_SAMPLES])
{
	size_t n = 0;

	for (size_t i = 0; i < miner->n_samples; i++) {
		int64_t value;

		if (!mine_bits_has(bits->samples, i))
			continue;
		value = value_of(&miner->input->samples[i], dimension);
		if (value >= 0)
			values[n++] = value;
	}
	qsort(values, n, sizeof(values[0]), compare_values);
	return n;
}

/* The ranges of length and TTL of those in `bits`. */
static void add_ranges(struct miner *miner, const struct sluice_rule_match *base,
		       const struct mine_bits *bits)
{
	static const struct {
		enum mine_dimension dimension;
		int64_t max_span;
	} ranges[] = {
		{ MINE_DIMENSION_LENGTH, MAX_LENGTH_SPAN },
		{ MINE_DIMENSION_TTL, MAX_TTL_SPAN },
	};
	int64_t values[MINE_MAX_SAMPLES];

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		size_t n = collect(miner, bits, ranges[i].dimension, values);

		if (n > 0 && n >= miner->params->min_sources)
			add_range(miner, base, ranges[i].dimension, values, n, ranges[i].max_span);
	}
}

void mine_conditions_find(struct miner *miner, const struct sluice_rule_match *base,
			  const struct mine_bits *bits)
{
	int64_t values[MINE_MAX_SAMPLES];
	size_t n_values;

	miner->n_atoms = 0;
	for (int dimension = 0; dimension < MINE_N_DIMENSIONS; dimension++) {
		size_t n = collect(miner, bits, (enum mine_dimension)dimension, values);

		if (n >= miner->params->min_sources)
			add_top_values(miner, base, (enum mine_dimension)dimension, values, n,
				       miner->params->min_sources);
	}
	n_values = miner->n_atoms;
	add_ranges(miner, base, bits);
	/*
	 * Reflectors beside busy services of the same protocol have a range among themselves only.  So have the
	 * packets to any one service: no range is looked for there, or its new users would be hit.
	 */
	for (size_t i = 0; i < n_values; i++)
		if (miner->atoms[i].dimension == MINE_DIMENSION_SOURCE_PORT)
			add_ranges(miner, base, &miner->atoms[i].bits);
}
