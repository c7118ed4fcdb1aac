/* SPDX-License-Identifier: BSD-2-Clause */
/* See known_hosts.h. */
#include "known_hosts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/hash_table.h"
#include "dataplane/dataplane.h"
#include "engine/engine.h"

struct known_hosts {
	uint8_t v6_prefix_len;
	const struct clock_source *clock;
	struct dataplane *dataplane; /* Knows whom the host spoke to first; NULL: nobody does. */
	struct hash_table *known;    /* To a place in `seen_ns`. */
	uint64_t *seen_ns;
	struct sluice_key *keys;   /* Whose time that is. */
	struct sluice_key *listed; /* Whole addresses, for the data plane. */
	size_t n, capacity, listed_capacity;
	int rc; /* What went wrong where nobody could be told. */
};

int known_hosts_new(uint8_t v6_prefix_len, const struct clock_source *clock,
		    struct known_hosts **out)
{
	/* No secret from the kernel: what it holds must not differ from run to run. */
	const struct address_secret secret = { { 1, 2 } };
	struct known_hosts *hosts = calloc(1, sizeof(*hosts));
	int ret;

	if (!hosts)
		return -ENOMEM;
	hosts->v6_prefix_len = v6_prefix_len;
	hosts->clock = clock;
	ret = hash_table_new(0, &secret, &hosts->known);
	if (ret) {
		known_hosts_free(hosts);
		return ret;
	}
	*out = hosts;
	return 0;
}

void known_hosts_free(struct known_hosts *hosts)
{
	if (!hosts)
		return;
	hash_table_free(hosts->known);
	free(hosts->seen_ns);
	free(hosts->keys);
	free(hosts->listed);
	free(hosts);
}

static int make_room(struct known_hosts *hosts)
{
	size_t capacity = hosts->capacity ? hosts->capacity * 2 : 256;
	struct sluice_key *keys;
	uint64_t *seen_ns;

	if (hosts->n < hosts->capacity)
		return 0;
	seen_ns = realloc(hosts->seen_ns, capacity * sizeof(*seen_ns));
	if (seen_ns)
		hosts->seen_ns = seen_ns;
	keys = realloc(hosts->keys, capacity * sizeof(*keys));
	if (keys)
		hosts->keys = keys;
	if (!keys || !seen_ns)
		return -ENOMEM;
	hosts->capacity = capacity;
	return 0;
}

static int remember(struct known_hosts *hosts, const struct sluice_key *key, uint64_t at_ns)
{
	uint32_t place;
	int ret = make_room(hosts);

	if (ret)
		return ret;
	ret = hash_table_add(hosts->known, key, (uint32_t)hosts->n, &place);
	if (ret < 0)
		return ret;
	if (ret == 1) {
		hosts->keys[hosts->n] = *key;
		hosts->seen_ns[hosts->n++] = at_ns;
	}
	if (hosts->seen_ns[place] < at_ns)
		hosts->seen_ns[place] = at_ns;
	return 0;
}

/* By its address and, of IPv6, by its unit. */
static int remember_host(struct known_hosts *hosts, const struct sluice_key *key, uint64_t at_ns)
{
	struct sluice_key unit;
	int ret = remember(hosts, key, at_ns);

	if (ret || key->family != SLUICE_FAMILY_IPV6)
		return ret;
	unit = address_mask(key, hosts->v6_prefix_len);
	return remember(hosts, &unit, at_ns);
}

int known_hosts_connected(struct known_hosts *hosts, const struct sluice_key *peer)
{
	return remember_host(hosts, peer, clock_monotonic_ns(hosts->clock));
}

static void note_spoken(void *ctx, const struct dataplane_spoken *spoken)
{
	struct known_hosts *hosts = ctx;
	int ret = remember_host(hosts, &spoken->key, spoken->last_ns);

	hosts->rc = hosts->rc ? hosts->rc : ret;
}

static bool is_recent(const struct known_hosts *hosts, size_t i)
{
	uint64_t now_ns = clock_monotonic_ns(hosts->clock);

	return now_ns - hosts->seen_ns[i] <= KNOWN_HOSTS_KEEP_NS;
}

static int refresh(void *ctx)
{
	const struct dataplane_spoken_terms terms = { .keep_ns = KNOWN_HOSTS_KEEP_NS };
	struct known_hosts *hosts = ctx;
	struct dataplane *dp = hosts->dataplane;
	int ret;

	if (!dp)
		return 0;
	hosts->rc = 0;
	ret = dp->ops->spoken_read(dp, &terms, note_spoken, hosts, NULL);
	return ret ? ret : hosts->rc;
}

/* In the order in which they became known; a data plane that is too small keeps the first. */
static const struct sluice_key *list(void *ctx, size_t *n)
{
	struct known_hosts *hosts = ctx;

	*n = 0;
	if (hosts->listed_capacity < hosts->capacity) {
		struct sluice_key *bigger =
			realloc(hosts->listed, hosts->capacity * sizeof(*bigger));

		if (!bigger)
			return hosts->listed;
		hosts->listed = bigger;
		hosts->listed_capacity = hosts->capacity;
	}
	for (size_t i = 0; i < hosts->n; i++)
		if (address_is_single(&hosts->keys[i]) && is_recent(hosts, i))
			hosts->listed[(*n)++] = hosts->keys[i];
	return hosts->listed;
}

static bool contains(void *ctx, const struct sluice_key *key)
{
	const struct known_hosts *hosts = ctx;
	uint32_t place;

	return hash_table_get(hosts->known, key, &place) && is_recent(hosts, place);
}

void known_hosts_plane(struct known_hosts *hosts, struct dataplane *dataplane)
{
	hosts->dataplane = dataplane;
}

void known_hosts_interface(struct known_hosts *hosts, struct engine_known *known)
{
	*known = (struct engine_known){
		.refresh = refresh,
		.contains = contains,
		.list = list,
		.ctx = hosts,
	};
}
