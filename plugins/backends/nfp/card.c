/* SPDX-License-Identifier: BSD-2-Clause */
/* See card.h.  Making the map and the program is in card_make.c. */
#include "card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card_state.h"
#include "words.h"

/* The number of the program in the hook; `*ours` if it is the one that we hold. */
static int look(const struct card *card, int ifindex, uint32_t *id, bool *ours,
		struct sluice_err *err)
{
	int rc = card->calls->attached(card->self, ifindex, id);

	*ours = rc == 0 && card->program_fd >= 0 && ifindex == card->ifindex &&
		*id == card->program_id;
	if (rc)
		words_explain(WORDS_STEP_QUERY, rc, card->ifname, "", err);
	return rc;
}

static int find(const struct card *card, struct sluice_err *err)
{
	int ifindex = card->calls->ifindex(card->self, card->ifname);

	if (ifindex < 0)
		words_explain(WORDS_STEP_FIND, ifindex, card->ifname, "", err);
	return ifindex;
}

static void let_go(struct card *card)
{
	if (card->program_fd >= 0)
		card->calls->close(card->self, card->program_fd);
	if (card->map_fd >= 0)
		card->calls->close(card->self, card->map_fd);
	card->program_fd = card->map_fd = -1;
}

/* From a hook that holds program `id`, or none, to a card that is ours. */
static int take(struct card *card, int ifindex, uint32_t id, struct sluice_err *err)
{
	int rc = 0;

	let_go(card);
	card->ifindex = ifindex;
	if (id)
		rc = card_adopt(card, id, err);
	card->adopted = rc == 1;
	if (rc == 0)
		rc = card_make(card, err);
	return rc < 0 ? rc : 0;
}

int card_open(const struct card_options *options, const char *ifname, struct card **out,
	      struct sluice_err *err)
{
	struct card *card;
	uint32_t id;
	bool ours;
	int rc;

	if (strlen(ifname) >= IFNAMSIZ) {
		words_explain(WORDS_STEP_FIND, -ENODEV, ifname, "", err);
		return -ENODEV;
	}
	card = calloc(1, sizeof(*card));
	if (!card) {
		words_explain(WORDS_STEP_FIND, -ENOMEM, ifname, "", err);
		return -ENOMEM;
	}
	card->options = *options;
	card->calls = options->calls;
	card->self = options->self;
	card->program_fd = card->map_fd = -1;
	snprintf(card->ifname, sizeof(card->ifname), "%s", ifname);
	rc = find(card, err);
	if (rc > 0) {
		card->ifindex = rc;
		rc = look(card, card->ifindex, &id, &ours, err);
		rc = rc ? rc : take(card, card->ifindex, id, err);
	}
	if (rc) {
		let_go(card);
		free(card);
		return rc;
	}
	card->settled = true;
	*out = card;
	return 0;
}

void card_close(struct card *card)
{
	struct nic_drop_key key;

	if (!card)
		return;
	/* Without rules there is nothing to leave: the card goes back as it was. */
	if (card->map_fd >= 0 && card->calls->next(card->self, card->map_fd, NULL, &key) == -ENOENT)
		(void)card->calls->detach(card->self, card->ifindex, card->program_fd);
	let_go(card);
	free(card);
}

uint32_t card_capacity(const struct card *card)
{
	return card->capacity;
}

bool card_counts(const struct card *card)
{
	return card->variant.counts;
}

bool card_adopted(const struct card *card)
{
	return card->adopted;
}

/* A full map says E2BIG, a full card ENOMEM. */
static int in_our_words(int rc)
{
	return rc == -E2BIG || rc == -ENOMEM ? -ENOSPC : rc;
}

int card_add(struct card *card, const struct sluice_key *key)
{
	struct nic_drop_key on_card;
	int rc = key_to_card(card->variant.v6_prefix_len, key, &on_card);

	if (rc)
		return rc;
	return card->map_fd < 0
		       ? -ENODEV
		       : in_our_words(card->calls->update(card->self, card->map_fd, &on_card));
}

int card_del(struct card *card, const struct sluice_key *key)
{
	struct nic_drop_key on_card;

	/* A rule that the card cannot hold is not in it. */
	if (key_to_card(card->variant.v6_prefix_len, key, &on_card))
		return -ENOENT;
	return card->map_fd < 0 ? -ENODEV : card->calls->del(card->self, card->map_fd, &on_card);
}

/* 1: put into the place `at`; 0: nothing of ours, or gone since. */
static int note(const struct card *card, const struct nic_drop_key *on_card,
		struct sluice_backend_rule *rules, struct sluice_backend_counter *counters,
		size_t at)
{
	struct nic_drop_hits hits;
	struct sluice_key key;
	int rc;

	if (!key_from_card(card->variant.v6_prefix_len, on_card, &key))
		return 0;
	if (rules)
		rules[at].key = key;
	if (!counters)
		return 1;
	rc = card->calls->lookup(card->self, card->map_fd, on_card, &hits);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	counters[at] = (struct sluice_backend_counter){
		.key = key,
		.packets = hits.packets,
		.bytes = hits.bytes,
	};
	return 1;
}

/* From entry to entry; a card that goes round in circles is not followed for ever. */
static int walk(const struct card *card, struct sluice_backend_rule *rules,
		struct sluice_backend_counter *counters, size_t n, size_t *count)
{
	struct nic_drop_key now, next;
	uint64_t steps_left = 2 * (uint64_t)card->capacity + 2;
	int rc = card->calls->next(card->self, card->map_fd, NULL, &next);

	while (rc == 0 && *count < n) {
		if (steps_left-- == 0)
			return -EPROTO;
		now = next;
		rc = note(card, &now, rules, counters, *count);
		if (rc < 0)
			return rc;
		*count += (size_t)rc;
		rc = card->calls->next(card->self, card->map_fd, &now, &next);
	}
	return rc == -ENOENT ? 0 : rc;
}

static int read_table(const struct card *card, struct sluice_backend_rule *rules,
		      struct sluice_backend_counter *counters, size_t n, size_t *count,
		      struct sluice_err *err)
{
	int rc = walk(card, rules, counters, n, count);

	if (rc) {
		*count = 0;
		words_explain(WORDS_STEP_READ, rc, card->ifname, "", err);
	}
	return rc;
}

int card_read(struct card *card, struct sluice_backend_counter *counters, size_t n, size_t *count,
	      struct sluice_err *err)
{
	uint32_t id;
	bool ours;
	int rc = look(card, card->ifindex, &id, &ours, err);

	*count = 0;
	if (rc)
		return rc;
	if (!ours) {
		words_explain(WORDS_STEP_READ, -ESTALE, card->ifname, "", err);
		return -ESTALE;
	}
	return read_table(card, NULL, counters, n, count, err);
}

/* To where our program is now; 1: taken over, or put there anew; 0: it never left. */
static int follow(struct card *card, struct sluice_err *err)
{
	int ifindex = find(card, err), rc;
	uint32_t id;
	bool ours;

	if (ifindex < 0)
		return ifindex;
	rc = look(card, ifindex, &id, &ours, err);
	if (rc || ours)
		return rc;
	/* Taken off its hook, the program can go back there, with all its rules. */
	if (id == 0 && ifindex == card->ifindex && card->program_fd >= 0 &&
	    card_start(card, err) == 0)
		return 1;
	rc = take(card, ifindex, id, err);
	return rc ? rc : 1;
}

int card_list(struct card *card, struct sluice_backend_rule *rules, size_t n, size_t *count,
	      struct sluice_err *err)
{
	int moved = follow(card, err), rc;

	*count = 0;
	if (moved < 0)
		return moved;
	rc = read_table(card, rules, NULL, n, count, err);
	return rc ? rc : moved;
}

int card_flush(struct card *card, struct sluice_err *err)
{
	uint64_t steps_left = 2 * (uint64_t)card->capacity + 2;
	struct nic_drop_key key;
	int rc = card->map_fd < 0 ? -ENODEV : 0;

	while (rc == 0) {
		rc = card->calls->next(card->self, card->map_fd, NULL, &key);
		if (rc == -ENOENT)
			return 0;
		if (rc == 0 && steps_left-- == 0)
			rc = -EPROTO;
		rc = rc ? rc : card->calls->del(card->self, card->map_fd, &key);
		rc = rc == -ENOENT ? 0 : rc;
	}
	words_explain(WORDS_STEP_CHANGE, rc, card->ifname, "", err);
	return rc;
}
