/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adds and deletes rules in buckets and hash; the order of writes is in emu_card.h.
 */
#include "rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "explain.h"
#include "logic.h"

/* Counts the hash's rules by bucket.  A rule that is in its bucket, too, leaves the hash. */
static size_t adopt_hash(struct card *card, const struct card_rule *rules, size_t n,
			 uint32_t *spilled)
{
	size_t n_rules = 0;

	for (size_t i = 0; i < n; i++) {
		const struct emu_card_key *key = &rules[i].key;
		struct emu_card_bucket *bucket = buckets_of(&card->buckets, key->addr[0]);

		if (key->family == 4 && bucket_find(bucket, key->addr[0]) >= 0 &&
		    bpf_map_delete_elem(card->hash_fd, key) == 0)
			continue;
		if (key->family == 4)
			spilled[bucket - card->buckets.at]++;
		n_rules++;
	}
	return n_rules;
}

int rules_adopt(struct card *card, struct sluice_err *err)
{
	uint32_t *spilled = calloc(card->buckets.n, sizeof(*spilled));
	struct card_rule *rules = NULL;
	size_t n;
	int rc = -ENOMEM;

	if (spilled)
		rc = card_hash_rules(card, &rules, &n);
	if (rc) {
		explain(err, "card '%.80s': cannot take over its rules: %s", card->path,
			strerror(-rc));
		goto out;
	}
	card->n_rules = buckets_repair(&card->buckets);
	card->n_rules += adopt_hash(card, rules, n, spilled);
	for (uint32_t i = 0; i < card->buckets.n; i++)
		if (bucket_spilled(&card->buckets.at[i]) != spilled[i])
			bucket_set_spilled(&card->buckets.at[i], spilled[i]);
out:
	free(rules);
	free(spilled);
	return rc;
}

static bool in_hash(const struct card *card, const struct emu_card_key *key)
{
	struct emu_card_hits hits;

	return bpf_map_lookup_elem(card->hash_fd, key, &hits) == 0;
}

static int hash_add(const struct card *card, const struct emu_card_key *key)
{
	static const struct emu_card_hits none;

	return logic_result(bpf_map_update_elem(card->hash_fd, key, &none, BPF_NOEXIST));
}

static int add_ipv4(const struct card *card, const struct emu_card_key *key)
{
	struct emu_card_bucket *bucket = buckets_of(&card->buckets, key->addr[0]);
	int rc;

	if (bucket_add(bucket, key->addr[0]))
		return 0;
	bucket_set_spilled(bucket, bucket_spilled(bucket) + 1);
	rc = hash_add(card, key);
	if (rc)
		bucket_set_spilled(bucket, bucket_spilled(bucket) - 1);
	return rc;
}

static bool is_there(const struct card *card, const struct emu_card_key *key)
{
	const struct emu_card_bucket *bucket = buckets_of(&card->buckets, key->addr[0]);

	if (key->family == 4 && bucket_find(bucket, key->addr[0]) >= 0)
		return true;
	return (key->family != 4 || bucket_spilled(bucket)) && in_hash(card, key);
}

int rules_add(struct card *card, const struct emu_card_key *key)
{
	int rc;

	if (is_there(card, key))
		return -EEXIST;
	if (card->n_rules >= card->info.capacity)
		return -ENOSPC;
	rc = key->family == 4 ? add_ipv4(card, key) : hash_add(card, key);
	if (rc == 0)
		card->n_rules++;
	return rc;
}

static int del_ipv4(const struct card *card, const struct emu_card_key *key)
{
	struct emu_card_bucket *bucket = buckets_of(&card->buckets, key->addr[0]);
	int way = bucket_find(bucket, key->addr[0]);
	uint32_t spilled = bucket_spilled(bucket);
	int rc;

	if (way >= 0) {
		bucket_del(bucket, way);
		return 0;
	}
	if (spilled == 0)
		return -ENOENT;
	rc = bpf_map_delete_elem(card->hash_fd, key);
	if (rc == 0)
		bucket_set_spilled(bucket, spilled - 1);
	return rc;
}

int rules_del(struct card *card, const struct emu_card_key *key)
{
	int rc = key->family == 4 ? del_ipv4(card, key) : bpf_map_delete_elem(card->hash_fd, key);

	if (rc == 0 && card->n_rules > 0)
		card->n_rules--;
	return rc;
}
