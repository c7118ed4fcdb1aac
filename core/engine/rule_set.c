/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_set.h. */
#include "rule_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auto_rules.h"
#include "base/err.h"
#include "config/settings.h"
#include "dataplane/dataplane.h"
#include "rule_match.h"
#include "rule_settings.h"

static const struct dataplane_rule_counters *find_counters(const struct rule_set *set,
							   const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->rules[i].name, name) == 0)
			return &set->counters[i];
	return NULL;
}

static void describe(const struct dataplane_rule *rule, struct sluice_window_rule *out)
{
	*out = (struct sluice_window_rule){
		.match = rule->match,
		.flags = rule->is_automatic ? SLUICE_WINDOW_RULE_AUTOMATIC : 0,
	};
	out->match.size = sizeof(out->match);
	snprintf(out->name, sizeof(out->name), "%s", rule->name);
	snprintf(out->detector, sizeof(out->detector), "%s", rule->origin);
	snprintf(out->reason, sizeof(out->reason), "%s", rule->reason);
}

static int list_all(struct rule_set *set, const struct settings *settings,
		    const struct auto_rules *automatic, struct sluice_err *err)
{
	for (size_t i = 0; i < settings->n_rules && i < DATAPLANE_MAX_RULES; i++)
		rule_settings_convert(&settings->rules[i], &set->rules[set->n++]);
	set->n_config = set->n;
	for (size_t i = 0; i < AUTO_RULES_MAX; i++) {
		if (!auto_rule_is_in_force(&automatic->list[i]))
			continue;
		if (set->n == DATAPLANE_MAX_RULES) {
			err_set(err, "rules",
				"%zu rules of the file leave no room for the automatic ones in "
				"force",
				settings->n_rules);
			return -ENOSPC;
		}
		set->rules[set->n++] = automatic->list[i].rule;
	}
	return 0;
}

int rule_set_apply(struct rule_set *set, struct dataplane *dp, const struct settings *settings,
		   const struct auto_rules *automatic, struct sluice_err *err)
{
	struct rule_set *next = calloc(1, sizeof(*next));
	int rc;

	if (!next) {
		err_set(err, NULL, "no memory for rules");
		return -ENOMEM;
	}
	rc = list_all(next, settings, automatic, err);
	if (!rc)
		rc = dp->ops->rules_set(dp, next->rules, next->n, err);
	if (!rc) {
		for (size_t i = 0; i < next->n; i++) {
			const struct dataplane_rule_counters *before =
				find_counters(set, next->rules[i].name);

			describe(&next->rules[i], &next->window[i]);
			if (before)
				next->counters[i] = *before;
		}
		*set = *next;
	}
	free(next);
	return rc;
}

/* A rule's counters begin anew with its slot, so that less than before means from 0. */
static uint64_t since(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

/* The data plane tells them in the order in which they were set. */
static void read_one(void *ctx, const struct dataplane_rule_counters *now)
{
	struct rule_set *set = ctx;
	size_t i = set->n_read++;
	struct sluice_window_rule *window = &set->window[i];
	struct dataplane_rule_counters *before = &set->counters[i];

	if (i >= set->n || strcmp(set->rules[i].name, now->name) != 0)
		return;
	window->packets = since(now->packets, before->packets);
	window->bytes = since(now->bytes, before->bytes);
	window->dropped_packets = since(now->dropped_packets, before->dropped_packets);
	window->dropped_bytes = since(now->dropped_bytes, before->dropped_bytes);
	*before = *now;
}

static void hand_out(const struct rule_set *set, struct auto_rules *automatic)
{
	for (size_t i = set->n_config; i < set->n; i++) {
		const struct sluice_window_rule *window = &set->window[i];
		struct auto_rule *rule = auto_rules_find_name(automatic, window->name);

		if (!rule)
			continue;
		rule->window = (struct auto_rule_count){ window->packets, window->bytes,
							 window->dropped_packets,
							 window->dropped_bytes };
		rule->total.packets += window->packets;
		rule->total.bytes += window->bytes;
		rule->total.dropped_packets += window->dropped_packets;
		rule->total.dropped_bytes += window->dropped_bytes;
	}
}

void rule_set_read(struct rule_set *set, const struct dataplane *dp, bool enforce,
		   struct auto_rules *automatic)
{
	for (size_t i = 0; i < set->n; i++) {
		struct sluice_window_rule *window = &set->window[i];

		window->packets = window->bytes = 0;
		window->dropped_packets = window->dropped_bytes = 0;
		window->flags &= ~(uint32_t)SLUICE_WINDOW_RULE_OBSERVED;
		window->flags |= enforce ? 0 : SLUICE_WINDOW_RULE_OBSERVED;
	}
	set->n_read = 0;
	if (set->n)
		dp->ops->rules_read(dp, read_one, set);
	hand_out(set, automatic);
}
