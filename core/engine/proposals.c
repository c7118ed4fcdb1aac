/* SPDX-License-Identifier: BSD-2-Clause */
/* The detectors' wishes of one window: see proposals.h. */
#include "proposals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash_table.h"
#include "name_table.h"

struct proposals {
	struct hash_table *index;
	struct proposal *list;
	size_t n, capacity;
	size_t mark; /* Where the present author began. */
	struct proposals_author author;
};

int proposals_new(const struct address_secret *secret, struct proposals **out)
{
	struct proposals *proposals = calloc(1, sizeof(*proposals));

	if (!proposals)
		return -ENOMEM;
	if (hash_table_new(0, secret, &proposals->index)) {
		free(proposals);
		return -ENOMEM;
	}
	*out = proposals;
	return 0;
}

void proposals_free(struct proposals *proposals)
{
	if (!proposals)
		return;
	hash_table_free(proposals->index);
	free(proposals->list);
	free(proposals);
}

void proposals_begin(struct proposals *proposals, const struct proposals_author *author)
{
	proposals->mark = proposals->n;
	proposals->author = *author;
}

static bool reason_is_valid(const char *reason)
{
	size_t length;

	if (!reason || !*reason)
		return false;
	length = strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return !reason[length] && length < NAME_TABLE_NAME_SIZE;
}

/* The source that a detector means, in the unit of the policy; false if it is wider than that. */
static bool widen(struct sluice_key *key, uint8_t v6_prefix_len)
{
	unsigned int unit = key->family == SLUICE_FAMILY_IPV6 ? v6_prefix_len : 32;

	if (!address_is_valid(key) || key->prefix_len < unit)
		return false;
	*key = address_mask(key, unit);
	return true;
}

/* Evidence ends up on terminals: control characters of a careless detector do not. */
static void copy_evidence(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	for (; *to; to++) {
		if ((unsigned char)*to < ' ' || *to == 0x7f)
			*to = ' ';
	}
}

static int make_room(struct proposals *proposals)
{
	size_t capacity = proposals->capacity ? proposals->capacity * 2 : 256;
	struct proposal *list;

	if (proposals->n < proposals->capacity)
		return 0;
	list = realloc(proposals->list, capacity * sizeof(*list));
	if (!list)
		return -ENOMEM;
	proposals->list = list;
	proposals->capacity = capacity;
	return 0;
}

int proposals_check(const struct sluice_proposal *proposal, uint8_t v6_prefix_len,
		    struct sluice_key *key)
{
	if (!proposal || !SLUICE_HAS(proposal, evidence) || !reason_is_valid(proposal->reason))
		return -EINVAL;
	*key = proposal->key;
	return widen(key, v6_prefix_len) ? 0 : -EINVAL;
}

int proposals_add(struct proposals *proposals, struct name_table *names,
		  const struct sluice_proposal *proposal)
{
	struct sluice_key key;
	struct proposal *added;
	int rc = proposals_check(proposal, proposals->author.v6_prefix_len, &key);

	if (rc)
		return rc;
	if (proposals_count(proposals) >= proposals->author.max)
		return -ENOSPC;
	if (make_room(proposals))
		return -ENOMEM;
	added = &proposals->list[proposals->n++];
	*added = (struct proposal){
		.key = key,
		.pps = proposal->packets_per_second,
		.sequence = proposals->author.sequence,
		.detector = proposals->author.detector,
		.reason = name_table_intern(names, proposal->reason),
		.voters = proposals->author.place < 64 ? (uint64_t)1 << proposals->author.place : 0,
		.enforce = proposals->author.enforce,
	};
	copy_evidence(added->evidence, sizeof(added->evidence), proposal->evidence);
	return 0;
}

void proposals_undo(struct proposals *proposals)
{
	proposals->n = proposals->mark;
}

uint32_t proposals_count(const struct proposals *proposals)
{
	return (uint32_t)(proposals->n - proposals->mark);
}

static bool outranks(const struct proposal *a, const struct proposal *b)
{
	if (a->enforce != b->enforce)
		return a->enforce;
	return a->pps > b->pps;
}

static void merge(struct proposal *kept, const struct proposal *next)
{
	uint64_t sequence = kept->sequence < next->sequence ? kept->sequence : next->sequence;

	uint64_t voters = kept->voters | next->voters;

	if (outranks(next, kept))
		*kept = *next;
	kept->sequence = sequence;
	kept->voters = voters;
}

int proposals_merge(struct proposals *proposals)
{
	size_t kept = 0;

	hash_table_clear(proposals->index);
	for (size_t i = 0; i < proposals->n; i++) {
		const struct proposal *next = &proposals->list[i];
		uint32_t at = (uint32_t)kept;
		int added = hash_table_add(proposals->index, &next->key, at, &at);

		if (added < 0)
			return added;
		if (added)
			proposals->list[kept++] = *next;
		else
			merge(&proposals->list[at], next);
	}
	proposals->n = kept;
	proposals->mark = kept;
	return 0;
}

struct proposal *proposals_list(struct proposals *proposals, size_t *n)
{
	*n = proposals->n;
	return proposals->list;
}

void proposals_keep(struct proposals *proposals, size_t n)
{
	proposals->n = n;
	proposals->mark = n;
}
