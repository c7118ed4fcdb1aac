/* SPDX-License-Identifier: BSD-2-Clause */
/* See known.h. */
#include "known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A sample by its source; the first eight bytes tell all sources of the policy's unit apart. */
struct entry {
	uint64_t address;
	size_t sample;
	uint8_t family;
};

static struct entry entry_of(const struct sluice_key *key, size_t sample, unsigned int v6_unit)
{
	uint64_t address = 0;
	unsigned int bits = key->family == SLUICE_FAMILY_IPV4 ? 32 : v6_unit;

	for (unsigned int i = 0; i < 8; i++)
		address = address << 8 | key->addr[i];
	bits = bits < 64 ? bits : 64;
	address &= bits ? ~0ull << (64 - bits) : 0;
	return (struct entry){ address, sample, key->family };
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return a->address < b->address ? -1 : a->address > b->address;
}

static unsigned int v6_unit(const struct sluice_window *window)
{
	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_key *key = &sluice_window_source(window, i)->key;

		if (key->family == SLUICE_FAMILY_IPV6)
			return key->prefix_len;
	}
	return 64;
}

static size_t first_at_least(const struct entry *entries, size_t n, const struct entry *wanted)
{
	size_t from = 0;

	while (n > 0) {
		size_t half = n / 2;

		if (compare(&entries[from + half], wanted) < 0) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return from;
}

int known_leave_out(const struct sluice_window *window, const struct packet *packets, int *fits)
{
	unsigned int unit = v6_unit(window);
	struct entry *entries;
	size_t n = 0;

	if (window->n_samples == 0)
		return 0;
	entries = malloc(window->n_samples * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < window->n_samples; i++)
		if (fits[i] >= 0)
			entries[n++] = entry_of(&packets[i].source, i, unit);
	qsort(entries, n, sizeof(*entries), compare);
	for (size_t i = 0; n && i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);
		struct entry wanted = entry_of(&source->key, 0, unit);

		if (!(source->flags & SLUICE_SOURCE_KNOWN))
			continue;
		for (size_t at = first_at_least(entries, n, &wanted);
		     at < n && compare(&entries[at], &wanted) == 0; at++)
			fits[entries[at].sample] = -1;
	}
	free(entries);
	return 0;
}
