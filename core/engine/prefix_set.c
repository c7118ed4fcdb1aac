/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes as ranges: see prefix_set.h. */
#include "prefix_set.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/key.h>

/* An address as a number; IPv4 fills the upper 32 bits. */
typedef unsigned __int128 point;

struct range {
	point first, last;
};

struct ranges {
	struct range *at; /* In order, apart from each other. */
	size_t n;
};

/* Ranges of two families never meet, so each family has its own. */
struct prefix_set {
	struct ranges v4, v6;
	struct range all[];
};

/* Half an address, of which the bits from `len` on are set: none for 64 and more. */
static uint64_t filled(uint64_t half, unsigned int len)
{
	return len < 64 ? half | UINT64_MAX >> len : half;
}

static struct range range_of(const struct sluice_key *key)
{
	unsigned int len = key->prefix_len;
	uint64_t high, low;

	memcpy(&high, key->addr, sizeof(high));
	memcpy(&low, key->addr + sizeof(high), sizeof(low));
	high = be64toh(high);
	low = be64toh(low);
	return (struct range){
		.first = (point)high << 64 | low,
		.last = (point)filled(high, len) << 64 | filled(low, len > 64 ? len - 64 : 0),
	};
}

static int range_compare(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	if (left->first != right->first)
		return left->first < right->first ? -1 : 1;
	return (left->last > right->last) - (left->last < right->last);
}

/* One range for those that overlap or follow each other. */
static void merge(struct ranges *ranges)
{
	size_t kept = 0;

	qsort(ranges->at, ranges->n, sizeof(*ranges->at), range_compare);
	for (size_t i = 0; i < ranges->n; i++) {
		struct range next = ranges->at[i];
		struct range *top = kept ? &ranges->at[kept - 1] : NULL;

		if (!top || (next.first > top->last && next.first - top->last > 1))
			ranges->at[kept++] = next;
		else if (next.last > top->last)
			top->last = next.last;
	}
	ranges->n = kept;
}

static void take_family(struct ranges *ranges, struct range *at, uint8_t family,
			const struct sluice_key *keys, size_t n)
{
	ranges->at = at;
	for (size_t i = 0; i < n; i++)
		if (keys[i].family == family)
			ranges->at[ranges->n++] = range_of(&keys[i]);
	merge(ranges);
}

int prefix_set_new(const struct sluice_key *keys, size_t n, struct prefix_set **out)
{
	struct prefix_set *set = calloc(1, sizeof(*set) + n * sizeof(set->all[0]));

	if (!set)
		return -ENOMEM;
	take_family(&set->v4, set->all, SLUICE_FAMILY_IPV4, keys, n);
	take_family(&set->v6, set->all + set->v4.n, SLUICE_FAMILY_IPV6, keys, n);
	*out = set;
	return 0;
}

void prefix_set_free(struct prefix_set *set)
{
	free(set);
}

static const struct ranges *ranges_of(const struct prefix_set *set, uint8_t family)
{
	if (!set)
		return NULL;
	if (family == SLUICE_FAMILY_IPV4)
		return &set->v4;
	return family == SLUICE_FAMILY_IPV6 ? &set->v6 : NULL;
}

/* The first range of a family that does not end before `at`, or NULL. */
static const struct range *range_at(const struct prefix_set *set, uint8_t family, point at)
{
	const struct ranges *ranges = ranges_of(set, family);
	const struct range *range;

	if (!ranges || !ranges->n)
		return NULL;
	range = ranges->at;
	/* Without a branch on what is compared: which half it is no predictor can know. */
	for (size_t n = ranges->n; n > 1; n -= n / 2)
		range += range[n / 2 - 1].last < at ? n / 2 : 0;
	return range->last < at ? NULL : range;
}

bool prefix_set_covers(const struct prefix_set *set, const struct sluice_key *key)
{
	struct range wanted = range_of(key);
	const struct range *range = range_at(set, key->family, wanted.first);

	return range && range->first <= wanted.first && wanted.last <= range->last;
}

bool prefix_set_overlaps(const struct prefix_set *set, const struct sluice_key *key)
{
	struct range wanted = range_of(key);
	const struct range *range = range_at(set, key->family, wanted.first);

	return range && range->first <= wanted.last;
}
