/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes as ranges: see prefix_set.h. */
#include "prefix_set.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/key.h>

/* In host byte order, so that addresses compare as numbers; IPv4 fills the upper 32 bits of `high`. */
struct point {
	uint64_t family, high, low;
};

struct range {
	struct point first, last;
};

struct prefix_set {
	size_t n;
	struct range ranges[];
};

/* The bits of a 64-bit word from `bit` on; none for 64. */
static uint64_t bits_from(unsigned int bit)
{
	return bit < 64 ? UINT64_MAX >> bit : 0;
}

static struct range range_of(const struct sluice_key *key)
{
	bool v6 = key->family == SLUICE_FAMILY_IPV6;
	uint64_t words[2];
	struct range range;

	memcpy(words, key->addr, sizeof(words));
	range.first = (struct point){ key->family, be64toh(words[0]), be64toh(words[1]) };
	range.last = range.first;
	range.last.high |= bits_from(key->prefix_len) & (v6 ? UINT64_MAX : ~bits_from(32));
	if (v6)
		range.last.low |= bits_from(key->prefix_len > 64 ? key->prefix_len - 64u : 0);
	return range;
}

static int number_compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int point_compare(const struct point *a, const struct point *b)
{
	if (a->family != b->family)
		return number_compare(a->family, b->family);
	return a->high != b->high ? number_compare(a->high, b->high)
				  : number_compare(a->low, b->low);
}

static int range_compare(const void *a, const void *b)
{
	const struct range *left = a, *right = b;
	int order = point_compare(&left->first, &right->first);

	return order ? order : point_compare(&left->last, &right->last);
}

/* True if `next` begins right behind `last`: then both are one range. */
static bool follows(const struct point *last, const struct point *next)
{
	struct point after = *last;

	if (last->family == SLUICE_FAMILY_IPV4)
		after.high += 1ull << 32;
	else if (++after.low == 0)
		after.high++;
	/* What wrapped round begins at zero, where nothing follows. */
	return (after.high || after.low) && point_compare(&after, next) == 0;
}

int prefix_set_new(const struct sluice_key *keys, size_t n, struct prefix_set **out)
{
	struct prefix_set *set = calloc(1, sizeof(*set) + n * sizeof(set->ranges[0]));
	size_t kept = 0;

	if (!set)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		set->ranges[i] = range_of(&keys[i]);
	qsort(set->ranges, n, sizeof(set->ranges[0]), range_compare);
	for (size_t i = 0; i < n; i++) {
		struct range *next = &set->ranges[i], *top;

		top = kept ? &set->ranges[kept - 1] : NULL;
		if (!top || (point_compare(&next->first, &top->last) > 0 &&
			     !follows(&top->last, &next->first)))
			set->ranges[kept++] = *next;
		else if (point_compare(&next->last, &top->last) > 0)
			top->last = next->last;
	}
	set->n = kept;
	*out = set;
	return 0;
}

void prefix_set_free(struct prefix_set *set)
{
	free(set);
}

/* The first range that does not end before `point`, or NULL. */
static const struct range *range_at(const struct prefix_set *set, const struct point *point)
{
	size_t low = 0, high = set ? set->n : 0, end = high;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (point_compare(&set->ranges[middle].last, point) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end ? &set->ranges[low] : NULL;
}

bool prefix_set_covers(const struct prefix_set *set, const struct sluice_key *key)
{
	struct range wanted = range_of(key);
	const struct range *range = range_at(set, &wanted.first);

	return range && point_compare(&range->first, &wanted.first) <= 0 &&
	       point_compare(&wanted.last, &range->last) <= 0;
}

bool prefix_set_overlaps(const struct prefix_set *set, const struct sluice_key *key)
{
	struct range wanted = range_of(key);
	const struct range *range = range_at(set, &wanted.first);

	return range && point_compare(&range->first, &wanted.last) <= 0;
}
