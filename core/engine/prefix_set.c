/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes as ranges: see prefix_set.h. */
#include "prefix_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

/* Family in front, so that one sorted array serves both; 17 bytes compare like numbers. */
struct point {
	uint8_t bytes[17];
};

struct range {
	struct point first, last;
};

struct prefix_set {
	size_t n;
	struct range ranges[];
};

static struct range range_of(const struct sluice_key *key)
{
	unsigned int width = address_width(key->family);
	struct range range;

	memset(&range, 0, sizeof(range));
	range.first.bytes[0] = key->family;
	memcpy(range.first.bytes + 1, key->addr, sizeof(key->addr));
	range.last = range.first;
	for (unsigned int bit = key->prefix_len; bit < width; bit++)
		range.last.bytes[1 + bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	return range;
}

static int point_compare(const struct point *a, const struct point *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
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
	unsigned int i = 1 + address_width(last->bytes[0]) / 8;

	while (--i > 0 && ++after.bytes[i] == 0)
		;
	return i > 0 && point_compare(&after, next) == 0;
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
