/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking over pinned state: see adopt.h. */
#include "adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "blocklist.h"
#include "prefix_list.h"

/* No term reaches further than this, and nobody repeats more often. */
#define EXPIRY_MAX_NS (10ull * 365 * 24 * 3600 * 1000000000ull)
#define REPEATS_MAX 1000000u

struct slots {
	dataplane_slot *slots;
	size_t n, capacity;
};

struct keys {
	struct sluice_key *keys;
	size_t n, capacity;
};

struct adoption {
	const struct adopt_options *options;
	struct blocklist *list;
	struct prefix_list *prefixes;
	struct adopt_result *result;
	struct slots unwanted;
	struct keys bad_prefixes;
	int rc;
};

/* Ends the string within `size` and replaces what does not print; true if anything was amiss. */
static bool repair_string(char *text, size_t size)
{
	bool repaired = false;

	if (!memchr(text, '\0', size)) {
		text[size - 1] = '\0';
		repaired = true;
	}
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~') {
			*text = '?';
			repaired = true;
		}
	}
	return repaired;
}

bool adopt_repair(struct dataplane_block_record *record, uint64_t now_ns, uint64_t ttl_ns)
{
	bool manual = record->flags & DATAPLANE_BLOCK_MANUAL;
	bool repaired = false;

	repaired |= repair_string(record->detector, sizeof(record->detector));
	repaired |= repair_string(record->reason, sizeof(record->reason));
	if (record->flags & ~(uint32_t)DATAPLANE_BLOCK_MANUAL) {
		record->flags &= DATAPLANE_BLOCK_MANUAL;
		repaired = true;
	}
	if (record->first_seen_ns > now_ns) {
		record->first_seen_ns = now_ns;
		repaired = true;
	}
	if (record->repeats > REPEATS_MAX) {
		record->repeats = 0;
		repaired = true;
	}
	/* Automatic blocks always have a term. */
	if (record->expires_ns > now_ns + EXPIRY_MAX_NS || (!manual && !record->expires_ns)) {
		record->expires_ns = now_ns + ttl_ns;
		repaired = true;
	}
	return repaired;
}

static bool is_unit(const struct sluice_key *key, uint8_t v6_prefix_len)
{
	return address_is_valid(key) &&
	       key->prefix_len == (key->family == SLUICE_FAMILY_IPV4 ? 32 : v6_prefix_len);
}

static int slots_add(struct slots *slots, dataplane_slot slot)
{
	if (slots->n == slots->capacity) {
		size_t capacity = slots->capacity ? slots->capacity * 2 : 64;
		dataplane_slot *grown = realloc(slots->slots, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		slots->slots = grown;
		slots->capacity = capacity;
	}
	slots->slots[slots->n++] = slot;
	return 0;
}

static void drop_source(struct adoption *adoption, dataplane_slot slot, uint32_t *count)
{
	adoption->rc = slots_add(&adoption->unwanted, slot);
	*count += !adoption->rc;
}

static void adopt_source(void *ctx, dataplane_slot slot,
			 const struct dataplane_block_record *pinned)
{
	struct adoption *adoption = ctx;
	const struct adopt_options *options = adoption->options;
	struct dataplane_block_record record = *pinned;
	bool repaired;
	int rc;

	if (adoption->rc)
		return;
	if (!is_unit(&record.key, options->v6_prefix_len)) {
		drop_source(adoption, slot, &adoption->result->dropped);
		return;
	}
	if (options->lapsed && !(record.flags & DATAPLANE_BLOCK_MANUAL)) {
		drop_source(adoption, slot, &adoption->result->lapsed);
		return;
	}
	repaired = adopt_repair(&record, options->now_ns, options->ttl_ns);
	rc = blocklist_adopt(adoption->list, slot, &record);
	if (rc == -EEXIST) {
		drop_source(adoption, slot, &adoption->result->dropped);
		return;
	}
	adoption->rc = rc;
	adoption->result->sources += !rc;
	adoption->result->repaired += !rc && repaired;
}

static int keys_add(struct keys *keys, const struct sluice_key *key)
{
	if (keys->n == keys->capacity) {
		size_t capacity = keys->capacity ? keys->capacity * 2 : 16;
		struct sluice_key *grown = realloc(keys->keys, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		keys->keys = grown;
		keys->capacity = capacity;
	}
	keys->keys[keys->n++] = *key;
	return 0;
}

static void adopt_prefix(void *ctx, const struct sluice_key *prefix, uint64_t expires_ns)
{
	struct adoption *adoption = ctx;
	struct prefix_list_entry entry = {
		.key = *prefix,
		.first_seen_ns = adoption->options->now_ns,
		.expires_ns = expires_ns,
	};
	int rc;

	if (adoption->rc)
		return;
	/* Nobody can have asked for length 0, which blocks everybody: see engine_block(). */
	if (!address_is_valid(prefix) || prefix->prefix_len == 0) {
		adoption->rc = keys_add(&adoption->bad_prefixes, prefix);
		return;
	}
	rc = prefix_list_add(adoption->prefixes, &entry);
	if (rc < 0)
		adoption->rc = rc;
	else
		adoption->result->prefixes += (uint32_t)rc;
}

static int adopt_prefixes(struct adoption *adoption, struct sluice_err *err)
{
	struct dataplane *dp = adoption->options->dp;
	struct keys *bad = &adoption->bad_prefixes;
	int rc = dp->ops->prefix_foreach(dp, adopt_prefix, adoption, err);

	if (!rc && adoption->rc) {
		err_set(err, NULL, "no memory to adopt the blocked prefixes");
		rc = adoption->rc;
	}
	/* Not before the walk is over. */
	for (size_t i = 0; !rc && i < bad->n; i++)
		rc = dp->ops->prefix_del(dp, &bad->keys[i], err);
	adoption->result->dropped += (uint32_t)bad->n;
	free(bad->keys);
	return rc;
}

int adopt_all(const struct adopt_options *options, struct blocklist *list,
	      struct prefix_list *prefixes, struct adopt_result *result, struct sluice_err *err)
{
	struct adoption adoption = {
		.options = options,
		.list = list,
		.prefixes = prefixes,
		.result = result,
	};
	struct dataplane *dp = options->dp;

	memset(result, 0, sizeof(*result));
	dp->ops->block_foreach(dp, adopt_source, &adoption);
	/* Not before the walk is over. */
	for (size_t i = 0; i < adoption.unwanted.n; i++)
		dp->ops->unblock(dp, adoption.unwanted.slots[i]);
	free(adoption.unwanted.slots);
	if (adoption.rc) {
		err_set(err, NULL, "no memory to adopt the blocklist");
		return adoption.rc;
	}
	return adopt_prefixes(&adoption, err);
}
