/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-emu-card show: the table and what it dropped, for people and as JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "card.h"
#include "card_tool.h"
#include "explain.h"
#include "logic.h"

enum { SHOWN_RULES = 20 };

struct view {
	struct card card;
	struct emu_card_hits totals;
	struct card_rule *rules;
	size_t n_rules;
};

static int heavier_first(const void *a, const void *b)
{
	const struct card_rule *x = a, *y = b;

	return (x->hits.packets < y->hits.packets) - (x->hits.packets > y->hits.packets);
}

/* "192.0.2.1" or "2001:db8::/64"; a rule that the back end did not write is shown as such. */
static const char *source_text(const struct emu_card_info *card, const struct emu_card_key *key,
			       char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	struct sluice_key source;

	if (!logic_key_from_card(card, key, &source)) {
		snprintf(text, size, "unknown");
		return text;
	}
	inet_ntop(source.family == SLUICE_FAMILY_IPV4 ? AF_INET : AF_INET6, source.addr, address,
		  sizeof(address));
	if (source.family == SLUICE_FAMILY_IPV4 || source.prefix_len == 128)
		snprintf(text, size, "%s", address);
	else
		snprintf(text, size, "%s/%u", address, source.prefix_len);
	return text;
}

static int print_text(const struct view *view)
{
	const struct emu_card_info *card = &view->card.info;
	char text[64];

	printf("emulated NIC %s\n", view->card.path);
	printf("  rules     %zu of %u\n", view->n_rules, card->capacity);
	printf("  dropped   %" PRIu64 " packets, %" PRIu64 " bytes\n",
	       (uint64_t)view->totals.packets, (uint64_t)view->totals.bytes);
	printf("  counters  %s\n", card->counters ? "per rule" : "none");
	printf("  IPv6 by   /%u\n", card->v6_prefix_len);
	if (card->ifindex)
		printf("  filters   egress of interface %u\n", card->ifindex);
	if (view->n_rules > 0)
		printf("\n%-44s %15s %18s\n", "source", "packets", "bytes");
	for (size_t i = 0; i < view->n_rules && i < SHOWN_RULES; i++) {
		const struct card_rule *rule = &view->rules[i];

		printf("%-44s %15" PRIu64 " %18" PRIu64 "\n",
		       source_text(card, &rule->key, text, sizeof(text)),
		       (uint64_t)rule->hits.packets, (uint64_t)rule->hits.bytes);
	}
	if (view->n_rules > SHOWN_RULES)
		printf("and %zu more; --json shows all\n", view->n_rules - SHOWN_RULES);
	return 0;
}

static json_t *rules_json(const struct view *view)
{
	json_t *list = json_array();
	char text[64];

	for (size_t i = 0; i < view->n_rules && list; i++) {
		const struct card_rule *rule = &view->rules[i];
		json_t *item;

		source_text(&view->card.info, &rule->key, text, sizeof(text));
		if (view->card.info.counters)
			item = json_pack("{s:s, s:I, s:I}", "source", text, "packets",
					 (json_int_t)rule->hits.packets, "bytes",
					 (json_int_t)rule->hits.bytes);
		else
			item = json_pack("{s:s}", "source", text);
		if (json_array_append_new(list, item)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int print_json(const struct view *view)
{
	const struct emu_card_info *card = &view->card.info;
	json_t *rules = rules_json(view);
	json_t *root;

	if (!rules)
		return -ENOMEM;
	root = json_pack("{s:b, s:s, s:I, s:I, s:b, s:i, s:i, s:I, s:I, s:o}", "emulated", 1,
			 "card", view->card.path, "capacity", (json_int_t)card->capacity, "used",
			 (json_int_t)view->n_rules, "counters", (int)card->counters,
			 "v6_prefix_len", (int)card->v6_prefix_len, "ifindex", (int)card->ifindex,
			 "dropped_packets", (json_int_t)view->totals.packets, "dropped_bytes",
			 (json_int_t)view->totals.bytes, "rules", rules);
	if (!root || json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER)) {
		json_decref(root);
		return -ENOMEM;
	}
	putchar('\n');
	json_decref(root);
	return 0;
}

int card_show(const char *folder, bool json, struct sluice_err *err)
{
	struct view view = { .n_rules = 0 };
	int rc = card_open(folder, CARD_READ, &view.card, err);

	if (rc)
		return rc;
	card_totals(&view.card, &view.totals);
	rc = card_rules(&view.card, &view.rules, &view.n_rules, err);
	if (rc == 0) {
		qsort(view.rules, view.n_rules, sizeof(*view.rules), heavier_first);
		rc = json ? print_json(&view) : print_text(&view);
		if (rc)
			explain(err, "out of memory");
		free(view.rules);
	}
	card_close(&view.card);
	return rc;
}
