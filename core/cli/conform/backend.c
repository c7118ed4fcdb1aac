/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a back end must do: see <sluice/backend.h>.  The card's table must be empty at first, since
 * the cases fill and empty it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/manifest.h"
#include "plugin/plugin.h"

#include "conform.h"
#include "host.h"
#include "leak.h"

#define FEW 8
#define MOST_RULES 65536u /* Capacities beyond are not filled. */

/* An open card, with room for a batch. */
struct card {
	struct conform *conform;
	const struct sluice_backend_ops *ops;
	struct sluice_instance instance;
	struct sluice_backend_caps caps;
	struct sluice_err err;
};

static int say(struct card *card, const char *what, int rc)
{
	return conform_fail(card->conform, "%s failed (%s): %s", what, err_name(rc),
			    card->err.text[0] ? card->err.text : "no reason in err->text");
}

static int card_open(struct conform *conform, struct card *card)
{
	int rc;

	memset(card, 0, sizeof(*card));
	card->conform = card->instance.conform = conform;
	card->ops = plugin_backend_ops(conform->plugin);
	card->instance.in_call = true;
	card->caps.size = sizeof(card->caps);
	rc = host_config_new(conform, NULL, &card->instance.config);
	if (rc != 0)
		return rc;
	rc = card->ops->open(&card->instance, &conform_host, card->instance.config, conform->ifname,
			     &card->caps, &card->instance.self, &card->err);
	if (rc != 0 || !card->instance.self) {
		config_free(card->instance.config);
		return say(card, "open", rc);
	}
	return 0;
}

static void card_close(struct card *card)
{
	card->ops->close(card->instance.self);
	config_free(card->instance.config);
}

/* The i-th of the rules that this card can match. */
static struct sluice_backend_rule rule_of(const struct card *card, uint32_t i)
{
	struct sluice_backend_rule rule = { .key = { .family = SLUICE_FAMILY_IPV4,
						     .prefix_len = 32 } };

	if (!(card->caps.matches & SLUICE_BACKEND_MATCH_IPV4)) {
		bool exact = card->caps.matches & SLUICE_BACKEND_MATCH_IPV6;

		rule.key.family = SLUICE_FAMILY_IPV6;
		rule.key.prefix_len = exact ? 128 : 64;
		rule.key.addr[0] = 0x20;
		rule.key.addr[1] = 0x01;
		memcpy(&rule.key.addr[4], &i, 4);
		return rule;
	}
	rule.key.addr[0] = 198;
	rule.key.addr[1] = (uint8_t)(18 + (i >> 16) % 2);
	rule.key.addr[2] = (uint8_t)(i >> 8);
	rule.key.addr[3] = (uint8_t)i;
	return rule;
}

/* One rule; its result. */
static int change(struct card *card, bool add, const struct sluice_backend_rule *rule, int *result)
{
	int rc;

	*result = 1; /* Neither success nor an errno: it must be set. */
	rc = (add ? card->ops->add : card->ops->del)(card->instance.self, rule, 1, result,
						     &card->err);
	if (rc != 0)
		return say(card, add ? "add" : "del", rc);
	if (*result > 0)
		return conform_fail(card->conform, "%s left the result of a rule unset",
				    add ? "add" : "del");
	return 0;
}

static int expect(struct card *card, bool add, uint32_t i, int wanted, const char *what)
{
	struct sluice_backend_rule rule = rule_of(card, i);
	int result, rc = change(card, add, &rule, &result);

	if (rc != 0 || result == wanted)
		return rc;
	return conform_fail(card->conform, "%s: got %s, wanted %s", what, err_name(result),
			    err_name(wanted));
}

/* All that is in the table; the caller frees `*rules`. */
static int read_list(struct card *card, struct sluice_backend_rule **rules, size_t *n)
{
	size_t room = MOST_RULES + 64;
	int rc;

	*rules = calloc(room, sizeof(**rules));
	*n = SIZE_MAX;
	if (!*rules)
		return conform_fail(card->conform, "no memory for the test");
	rc = card->ops->list(card->instance.self, *rules, room, n, &card->err);
	if (rc == 0 && *n <= room)
		return 0;
	free(*rules);
	return rc ? say(card, "list", rc)
		  : conform_fail(card->conform, "list did not say how many rules there are");
}

static int expect_size(struct card *card, size_t wanted, const char *when)
{
	struct sluice_backend_rule *rules;
	size_t n;
	int rc = read_list(card, &rules, &n);

	if (rc != 0)
		return rc;
	free(rules);
	return n == wanted ? 0
			   : conform_fail(card->conform, "%s list gives %zu rules, wanted %zu",
					  when, n, wanted);
}

static int expect_listed(struct card *card, uint32_t from, uint32_t to, const char *when)
{
	struct sluice_backend_rule *rules;
	size_t n;
	int rc = read_list(card, &rules, &n);

	for (uint32_t i = from; rc == 0 && i < to; i++) {
		struct sluice_backend_rule rule = rule_of(card, i);
		size_t at = 0;

		while (at < n && memcmp(&rules[at].key, &rule.key, sizeof(rule.key)) != 0)
			at++;
		if (at == n) {
			free(rules);
			return conform_fail(card->conform, "%s list lacks a rule that was added",
					    when);
		}
	}
	if (rc == 0)
		free(rules);
	return rc ? rc : expect_size(card, to - from, when);
}

static int flush(struct card *card)
{
	int rc = card->ops->flush(card->instance.self, &card->err);

	return rc ? say(card, "flush", rc) : expect_size(card, 0, "after flush");
}

static int add_few(struct card *card)
{
	int rc = flush(card);

	for (uint32_t i = 0; rc == 0 && i < FEW; i++)
		rc = expect(card, true, i, 0, "adding a new rule");
	return rc;
}

/* Runs a case on an open card and leaves the table empty. */
static int with_card(struct conform *conform, int (*run)(struct card *card))
{
	struct card card;
	int rc = card_open(conform, &card), emptied;

	if (rc != 0)
		return rc;
	rc = run(&card);
	emptied = card.ops->flush(card.instance.self, &card.err);
	if (rc == 0 && emptied != 0)
		rc = say(&card, "flush", emptied);
	card_close(&card);
	return rc;
}

static int check_caps(struct card *card)
{
	const struct sluice_backend_caps *caps = &card->caps;
	int rc;

	if (caps->size != sizeof(*caps))
		return conform_fail(card->conform, "open changed the size of caps");
	if (caps->matches == 0)
		return conform_fail(card->conform, "caps say that the card matches nothing");
	if (caps->update_p50_ns > caps->update_p99_ns)
		return conform_fail(card->conform, "update_p50_ns is above update_p99_ns");
	if (caps->counters && !card->ops->read)
		return conform_fail(card->conform, "caps promise counters, but there is no read");
	rc = expect_size(card, 0, "at first");
	card->ops->close(NULL);
	return rc;
}

/* Unlike the others it does not flush: rules that somebody else put there are not ours to remove. */
static int case_open(struct conform *conform)
{
	struct card card;
	int rc = card_open(conform, &card);

	if (rc != 0)
		return rc;
	rc = check_caps(&card);
	card_close(&card);
	return rc;
}

static int rules(struct card *card)
{
	int rc = add_few(card);

	rc = rc ? rc : expect_listed(card, 0, FEW, "after adding");
	for (uint32_t i = 0; rc == 0 && i < FEW; i++)
		rc = expect(card, true, i, -EEXIST, "adding a rule twice");
	rc = rc ? rc : expect_size(card, FEW, "after adding twice");
	rc = rc ? rc : expect(card, false, 1000, -ENOENT, "deleting an unknown rule");
	for (uint32_t i = 0; rc == 0 && i < FEW / 2; i++)
		rc = expect(card, false, i, 0, "deleting a rule");
	rc = rc ? rc : expect(card, false, 0, -ENOENT, "deleting a rule twice");
	return rc ? rc : expect_listed(card, FEW / 2, FEW, "after deleting");
}

static int case_rules(struct conform *conform)
{
	return with_card(conform, rules);
}

/* One batch with good and bad rules: each has a result of its own. */
static int batch(struct card *card)
{
	struct sluice_backend_rule list[3];
	int results[3] = { 1, 1, 1 }, rc = flush(card);

	list[0] = list[2] = rule_of(card, 1);
	list[1] = rule_of(card, 2);
	rc = rc ? rc : card->ops->add(card->instance.self, list, 3, results, &card->err);
	if (rc != 0)
		return say(card, "add of three rules", rc);
	if (results[0] != 0 || results[1] != 0 || results[2] != -EEXIST)
		return conform_fail(card->conform,
				    "a batch with one rule twice gave %s, %s, %s; wanted 0, 0, "
				    "-EEXIST",
				    err_name(results[0]), err_name(results[1]),
				    err_name(results[2]));
	rc = card->ops->add(card->instance.self, list, 0, results, &card->err);
	rc = rc ? rc : card->ops->del(card->instance.self, list, 0, results, &card->err);
	return rc ? say(card, "a batch of no rules", rc) : expect_size(card, 2, "after a batch");
}

static int case_batch(struct conform *conform)
{
	return with_card(conform, batch);
}

/* What the caps promise must be taken; of IPv6 prefixes some length, since a card may have but one. */
static int promised(struct card *card, uint32_t match, uint8_t family, uint8_t longest,
		    uint8_t shortest)
{
	struct sluice_backend_rule rule = { .key = { .family = family, .addr = { 0x20 } } };
	int result = -EOPNOTSUPP, rc = 0;

	if (!(card->caps.matches & match))
		return 0;
	for (uint8_t len = longest; rc == 0 && result == -EOPNOTSUPP && len >= shortest; len--) {
		rule.key.prefix_len = len;
		rc = change(card, true, &rule, &result);
	}
	if (rc == 0 && result != 0)
		rc = conform_fail(
			card->conform,
			"caps promise to match IPv%d sources of %d to %d bits, but such a "
			"rule got %s",
			family, shortest, longest, err_name(result));
	return rc ? rc : flush(card);
}

static int promises(struct card *card)
{
	int rc = flush(card);

	rc = rc ? rc : promised(card, SLUICE_BACKEND_MATCH_IPV4, SLUICE_FAMILY_IPV4, 32, 32);
	rc = rc ? rc : promised(card, SLUICE_BACKEND_MATCH_IPV6, SLUICE_FAMILY_IPV6, 128, 128);
	return rc ? rc
		  : promised(card, SLUICE_BACKEND_MATCH_IPV6_PREFIX, SLUICE_FAMILY_IPV6, 127, 1);
}

static int unmatchable(struct card *card)
{
	struct sluice_backend_rule rule = { .key = { .family = SLUICE_FAMILY_IPV6,
						     .prefix_len = 128 } };
	int result, rc;

	rule.key.addr[0] = 0x20;
	if (card->caps.matches & SLUICE_BACKEND_MATCH_IPV6) {
		rule.key = (struct sluice_key){ .family = SLUICE_FAMILY_IPV4, .prefix_len = 24 };
		rule.key.addr[0] = 198;
	}
	rc = change(card, true, &rule, &result);
	if (rc == 0 && result != -EOPNOTSUPP)
		rc = conform_fail(card->conform,
				  "a rule that the card cannot match got %s, wanted -EOPNOTSUPP",
				  err_name(result));
	return rc ? rc : expect_size(card, 0, "after a rule that cannot be matched");
}

static int matches(struct card *card)
{
	int rc = promises(card);

	return rc ? rc : unmatchable(card);
}

static int case_matches(struct conform *conform)
{
	return with_card(conform, matches);
}

static int capacity(struct card *card)
{
	uint32_t k = card->caps.capacity, limit = k ? k : MOST_RULES;
	int result = 0, rc = flush(card);

	if (k > MOST_RULES)
		return conform_skip(card->conform, "%u rules are too many to try", k);
	for (uint32_t i = 0; rc == 0 && i < limit && result == 0; i++) {
		struct sluice_backend_rule rule = rule_of(card, i);

		rc = change(card, true, &rule, &result);
		if (rc == 0 && result != 0 && (k || result != -ENOSPC))
			rc = conform_fail(card->conform,
					  "rule %u of a capacity of %u: got %s, wanted 0", i + 1, k,
					  err_name(result));
	}
	if (rc != 0 || (!k && result == 0))
		return rc ? rc : conform_note(card->conform, "no end within %u rules", limit);
	for (uint32_t i = 0; rc == 0 && k && i < FEW; i++)
		rc = expect(card, true, k + i, -ENOSPC, "adding to a full table");
	rc = rc || !k ? rc : expect_size(card, k, "with a full table");
	rc = rc ? rc : expect(card, false, 0, 0, "deleting from a full table");
	return rc ? rc : expect(card, true, 0, 0, "adding to the place that became free");
}

static int case_capacity(struct conform *conform)
{
	return with_card(conform, capacity);
}

/* Whether a call with room for two, of `size` bytes each, kept to that. */
static int check_room(struct card *card, const char *call, const unsigned char *filled, size_t size,
		      size_t n)
{
	for (size_t i = 2 * size; i < FEW * size; i++)
		if (filled[i] != 0xa5)
			return conform_fail(card->conform, "%s wrote more than it had room for",
					    call);
	return n <= 2 ? 0
		      : conform_fail(card->conform, "%s claims more than it had room for", call);
}

/* Less room than rules: no more is written, and no more is claimed. */
static int small_room(struct card *card)
{
	struct sluice_backend_rule listed[FEW];
	struct sluice_backend_counter read[FEW];
	size_t n = SIZE_MAX;
	int rc = add_few(card);

	memset(listed, 0xa5, sizeof(listed));
	memset(read, 0xa5, sizeof(read));
	rc = rc ? rc : card->ops->list(card->instance.self, listed, 2, &n, &card->err);
	if (rc != 0)
		return say(card, "list", rc);
	rc = check_room(card, "list", (unsigned char *)listed, sizeof(listed[0]), n);
	if (rc != 0 || !card->caps.counters)
		return rc;
	n = SIZE_MAX;
	rc = card->ops->read(card->instance.self, read, 2, &n, &card->err);
	return rc ? say(card, "read", rc)
		  : check_room(card, "read", (unsigned char *)read, sizeof(read[0]), n);
}

static int case_room(struct conform *conform)
{
	return with_card(conform, small_room);
}

static int read_counters(struct card *card, struct sluice_backend_counter counters[2 * FEW],
			 size_t *n)
{
	int rc = card->ops->read(card->instance.self, counters, 2 * FEW, n, &card->err);

	if (rc != 0)
		return say(card, "read", rc);
	if (*n != FEW)
		return conform_fail(card->conform, "read gives %zu counters of %d rules", *n, FEW);
	for (uint32_t i = 0; i < FEW; i++) {
		struct sluice_backend_rule rule = rule_of(card, i);
		size_t at = 0;

		while (at < *n && memcmp(&counters[at].key, &rule.key, sizeof(rule.key)) != 0)
			at++;
		if (at == *n)
			return conform_fail(card->conform, "read lacks the counter of a rule");
	}
	return 0;
}

static int counters(struct card *card)
{
	struct sluice_backend_counter first[2 * FEW], second[2 * FEW];
	size_t n = 0, m = 0;
	int rc;

	if (!card->caps.counters)
		return conform_skip(card->conform, "the card has no counters");
	rc = add_few(card);
	rc = rc ? rc : read_counters(card, first, &n);
	for (int round = 0; rc == 0 && round < 10; round++) {
		rc = read_counters(card, second, &m);
		for (size_t i = 0; rc == 0 && i < n; i++)
			for (size_t j = 0; j < m; j++)
				if (memcmp(&first[i].key, &second[j].key, sizeof(first[i].key)) ==
					    0 &&
				    (second[j].packets < first[i].packets ||
				     second[j].bytes < first[i].bytes))
					rc = conform_fail(card->conform,
							  "a counter went backwards");
		memcpy(first, second, sizeof(first));
	}
	return rc;
}

static int case_counters(struct conform *conform)
{
	return with_card(conform, counters);
}

/* A daemon that died, or another one, finds what is in the table. */
static int case_reconcile(struct conform *conform)
{
	struct card card;
	int rc = card_open(conform, &card);

	if (rc != 0)
		return rc;
	rc = add_few(&card);
	card_close(&card);
	rc = rc ? rc : card_open(conform, &card);
	if (rc != 0)
		return rc;
	rc = expect_listed(&card, 0, FEW, "after closing and opening again");
	rc = rc ? rc : flush(&card);
	rc = rc ? rc : flush(&card);
	card_close(&card);
	return rc;
}

static int few_and_back(struct card *card)
{
	int rc = add_few(card);

	return rc ? rc : flush(card);
}

static int round_of_few(struct conform *conform)
{
	return with_card(conform, few_and_back);
}

static int case_leaks(struct conform *conform)
{
	return leak_check(conform, round_of_few);
}

const struct conform_case conform_backend_cases[] = {
	{ "open", "opens, says what the card can do, and has an empty table", case_open },
	{ "rules", "adds, deletes, and knows duplicates and unknown rules", case_rules },
	{ "batch", "gives each rule of a batch its own result", case_batch },
	{ "matches", "refuses what the card cannot match", case_matches },
	{ "capacity", "takes as many rules as it says, and no more", case_capacity },
	{ "room", "writes no more than there is room for", case_room },
	{ "counters", "counts, and never backwards", case_counters },
	{ "reconcile", "leaves its rules when closed, lists and flushes them", case_reconcile },
	{ "leaks", "gives back its memory", case_leaks },
	{ NULL, NULL, NULL },
};
