/* SPDX-License-Identifier: BSD-2-Clause */
/* See steer.h.  Tables of such cards are small, so that an array will do. */
#include "steer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many rules of others' in a row, none of which the last listing had, are not believed. */
#define CLAIM_TRIES 16u

struct entry {
	struct sluice_key key; /* Family 0: somebody else's. */
	uint32_t location;
};

struct entries {
	struct entry *list;
	size_t n, room;
};

struct steer {
	struct steer_options options;
	steer_ask *ask;
	void *context;
	struct entries known;
	size_t n_ours;
	size_t n_alike;
	uint32_t n_locations; /* 0: unknown. */
	uint32_t first_free;  /* No location of ours below is free. */
};

int steer_new(const struct steer_options *options, steer_ask *ask, void *context,
	      struct steer **steer)
{
	*steer = calloc(1, sizeof(**steer));
	if (!*steer)
		return -ENOMEM;
	(*steer)->options = *options;
	(*steer)->ask = ask;
	(*steer)->context = context;
	(*steer)->first_free = options->first_location;
	return 0;
}

void steer_free(struct steer *steer)
{
	if (!steer)
		return;
	free(steer->known.list);
	free(steer);
}

/* For one entry more. */
static int make_room(struct entries *entries)
{
	size_t room = entries->room ? 2 * entries->room : 64;
	struct entry *list;

	if (entries->n < entries->room)
		return 0;
	list = realloc(entries->list, room * sizeof(*list));
	if (!list)
		return -ENOMEM;
	entries->list = list;
	entries->room = room;
	return 0;
}

static int append(struct entries *entries, const struct sluice_key *key, uint32_t location)
{
	int rc = make_room(entries);

	if (rc == 0)
		entries->list[entries->n++] = (struct entry){ .key = *key, .location = location };
	return rc;
}

static struct entry *find_key(const struct steer *steer, const struct sluice_key *key)
{
	for (size_t i = 0; i < steer->known.n; i++)
		if (memcmp(&steer->known.list[i].key, key, sizeof(*key)) == 0)
			return &steer->known.list[i];
	return NULL;
}

static struct entry *find_location(const struct steer *steer, uint32_t location)
{
	for (size_t i = 0; i < steer->known.n; i++)
		if (steer->known.list[i].location == location)
			return &steer->known.list[i];
	return NULL;
}

static int free_location(struct steer *steer, uint32_t *location)
{
	uint32_t end = steer->n_locations ? steer->n_locations : UINT32_MAX - 16;

	if (steer->options.driver_chooses) {
		*location = RX_CLS_LOC_ANY;
		return 0;
	}
	while (steer->first_free < end && find_location(steer, steer->first_free))
		steer->first_free++;
	*location = steer->first_free;
	return *location < end ? 0 : -ENOSPC;
}

/* Drivers have several words for a table that is full. */
static int in_our_words(int rc)
{
	return rc == -ENOMEM || rc == -E2BIG || rc == -EDQUOT ? -ENOSPC : rc;
}

static int ask_to_delete(struct steer *steer, uint32_t location)
{
	struct ethtool_rxnfc nfc = { .cmd = ETHTOOL_SRXCLSRLDEL, .fs.location = location };

	return steer->ask(steer->context, &nfc, 0);
}

/* What is at a location; -ENOENT: nothing. */
static int look_at(struct steer *steer, uint32_t location, struct ethtool_rx_flow_spec *rule)
{
	struct ethtool_rxnfc nfc = { .cmd = ETHTOOL_GRXCLSRULE, .fs.location = location };
	int rc = steer->ask(steer->context, &nfc, 0);

	*rule = nfc.fs;
	rule->location = location;
	return rc == -EINVAL ? -ENOENT : rc;
}

/*
 * A driver that ignores a mask, or the action, would drop or let through what it should not: so
 * each new rule is read back, and one that is not as asked for, or cannot be read, is taken out again:
 * nobody would ever ask for that later.
 */
static int check(struct steer *steer, const struct sluice_key *key, uint32_t location)
{
	struct ethtool_rx_flow_spec rule;
	struct sluice_key there;
	int rc = look_at(steer, location, &rule), deleted;

	if (rc == 0 && rule_to_key(&steer->options.shape, &rule, &there) &&
	    memcmp(&there, key, sizeof(*key)) == 0)
		return 0;
	if (rc == -ENODEV || rc == -ENOENT)
		return rc == -ENODEV ? rc : -EIO;
	deleted = ask_to_delete(steer, location);
	if (deleted == -ENODEV)
		return deleted;
	return rc ? -EIO : -EOPNOTSUPP;
}

/* Two people can take one location; the driver would let the later win, so it is looked at first. */
static int claim(struct steer *steer, uint32_t *location)
{
	struct ethtool_rx_flow_spec rule;

	for (unsigned int i = 0; i < CLAIM_TRIES; i++) {
		int rc = free_location(steer, location);

		if (rc || steer->options.driver_chooses)
			return rc;
		rc = look_at(steer, *location, &rule);
		if (rc)
			return rc == -ENOENT ? 0 : rc;
		rc = append(&steer->known, &(struct sluice_key){ 0 }, *location);
		if (rc)
			return rc;
	}
	return -ENOSPC;
}

int steer_add(struct steer *steer, const struct sluice_key *key)
{
	struct ethtool_rxnfc nfc = { .cmd = ETHTOOL_SRXCLSRLINS };
	uint32_t location;
	int rc = rule_from_key(&steer->options.shape, key, 0, &nfc.fs);

	if (rc)
		return rc;
	if (find_key(steer, key))
		return -EEXIST;
	if (steer->options.capacity && steer->n_ours >= steer->options.capacity)
		return -ENOSPC;
	rc = claim(steer, &location);
	/* A rule that is in the card must get into the book. */
	rc = rc ? rc : make_room(&steer->known);
	if (rc)
		return rc;
	nfc.fs.location = location;
	rc = steer->ask(steer->context, &nfc, 0);
	if (rc)
		return in_our_words(rc);
	/* The driver's choice must not be a place that somebody else's rule has. */
	if (steer->options.driver_chooses &&
	    (nfc.fs.location & RX_CLS_LOC_SPECIAL || find_location(steer, nfc.fs.location)))
		return -EPROTO;
	rc = check(steer, key, nfc.fs.location);
	rc = rc ? rc : append(&steer->known, key, nfc.fs.location);
	steer->n_ours += rc == 0;
	return rc;
}

int steer_del(struct steer *steer, const struct sluice_key *key)
{
	struct entry *entry = find_key(steer, key);
	struct ethtool_rx_flow_spec rule;
	struct sluice_key there;
	int rc;

	if (key->family == 0 || !entry)
		return -ENOENT;
	rc = look_at(steer, entry->location, &rule);
	/* Somebody else may have taken the place meanwhile. */
	if (rc == 0 && (!rule_to_key(&steer->options.shape, &rule, &there) ||
			memcmp(&there, key, sizeof(*key)) != 0))
		rc = -ENOENT;
	rc = rc ? rc : ask_to_delete(steer, entry->location);
	if (rc && rc != -ENOENT)
		return rc;
	if (entry->location >= steer->options.first_location && entry->location < steer->first_free)
		steer->first_free = entry->location;
	*entry = steer->known.list[--steer->known.n];
	steer->n_ours--;
	return rc;
}

/* The locations of all rules; the caller frees `*nfc`. */
static int read_locations(struct steer *steer, struct ethtool_rxnfc **nfc, uint32_t *n)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT };
	int rc = steer->ask(steer->context, &count, 0);
	uint32_t room = count.rule_cnt;

	if (rc)
		return rc;
	if (room > STEER_MAX)
		return -EPROTO;
	*nfc = calloc(1, sizeof(**nfc) + room * sizeof(uint32_t));
	if (!*nfc)
		return -ENOMEM;
	(*nfc)->cmd = ETHTOOL_GRXCLSRLALL;
	(*nfc)->rule_cnt = room;
	rc = steer->ask(steer->context, *nfc, room);
	if (rc == 0 && (*nfc)->rule_cnt > room)
		rc = -EPROTO;
	if (rc) {
		free(*nfc);
		return rc;
	}
	*n = (*nfc)->rule_cnt;
	steer->n_locations = (uint32_t)((*nfc)->data & ~(uint64_t)RX_CLS_LOC_SPECIAL);
	if (steer->n_locations == 0)
		steer->n_locations = steer->options.n_locations;
	return 0;
}

static bool is_ours(const struct steer *steer, const struct sluice_key *key, uint32_t location)
{
	const struct entry *entry = find_location(steer, location);

	return steer->options.adopt || (entry && memcmp(&entry->key, key, sizeof(*key)) == 0);
}

static int note_location(struct steer *steer, uint32_t location, struct entries *seen,
			 size_t *n_ours)
{
	struct ethtool_rx_flow_spec rule;
	struct sluice_key key;
	int rc = look_at(steer, location, &rule);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (!rule_to_key(&steer->options.shape, &rule, &key)) {
		memset(&key, 0, sizeof(key));
	} else if (!is_ours(steer, &key, location)) {
		memset(&key, 0, sizeof(key));
		steer->n_alike++;
	}
	*n_ours += key.family != 0;
	return append(seen, &key, location);
}

int steer_list(struct steer *steer, struct sluice_backend_rule *rules, size_t n, size_t *count)
{
	struct entries seen = { 0 };
	struct ethtool_rxnfc *nfc;
	uint32_t n_locations;
	size_t n_ours = 0;
	int rc = read_locations(steer, &nfc, &n_locations);

	*count = 0;
	if (rc)
		return rc;
	steer->n_alike = 0;
	for (uint32_t i = 0; i < n_locations && rc == 0; i++)
		rc = note_location(steer, nfc->rule_locs[i], &seen, &n_ours);
	free(nfc);
	if (rc) {
		free(seen.list);
		return rc;
	}
	free(steer->known.list);
	steer->known = seen;
	steer->first_free = steer->options.first_location;
	steer->n_ours = n_ours;
	for (size_t i = 0; i < seen.n && *count < n; i++)
		if (seen.list[i].key.family)
			rules[(*count)++].key = seen.list[i].key;
	return 0;
}

int steer_flush(struct steer *steer)
{
	size_t n;
	int rc = steer_list(steer, NULL, 0, &n);

	/* A place that is freed is taken by an entry from behind, which was looked at already. */
	for (size_t i = steer->known.n; i-- > 0 && rc != -ENODEV;) {
		struct sluice_key key = steer->known.list[i].key;
		int deleted = key.family ? steer_del(steer, &key) : 0;

		if (deleted && deleted != -ENOENT)
			rc = deleted;
	}
	return rc;
}

uint32_t steer_locations(const struct steer *steer)
{
	return steer->n_locations;
}

size_t steer_alike(const struct steer *steer)
{
	return steer->n_alike;
}
