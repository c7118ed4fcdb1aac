/* SPDX-License-Identifier: BSD-2-Clause */
/* See rules_list.h. */
#include "rules_list.h"

#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/rule_text.h"

#include "text_json.h"

#define J(value) ((json_int_t)(value))

static void add(void *ctx, const struct dataplane_rule_counters *counters)
{
	struct rules_list *list = ctx;
	struct rules_list_item *item;

	if (list->n >= DATAPLANE_MAX_RULES)
		return;
	item = &list->item[list->n++];
	item->counters = *counters;
	if (!counters->rule)
		return;
	item->rule = *counters->rule;
	item->counters.rule = &item->rule;
}

void rules_list_read(const struct dataplane *dp, struct rules_list *list)
{
	list->n = 0;
	dp->ops->rules_read(dp, add, list);
}

/* JSON null for what has no limit. */
static json_t *limit_json(const struct dataplane_rule_counters *counters)
{
	const struct dataplane_rule *rule = counters->rule;
	bool by_source = counters->action == DATAPLANE_RULE_LIMIT_SOURCE;

	if (!rule || (!by_source && counters->action != DATAPLANE_RULE_LIMIT))
		return json_null();
	return json_pack("{s:I, s:I, s:s, s:s, s:o}", "rate", J(rule->rate), "burst",
			 J(rule->burst), "unit", rule->is_by_byte ? "bytes" : "packets", "per",
			 by_source ? "source" : "all", "available",
			 by_source ? json_null() : json_integer(J(counters->tokens)));
}

static json_t *match_json(const struct dataplane_rule *rule)
{
	char text[RULE_TEXT_SIZE];

	return rule ? json_string(rule_text_match(rule, text)) : json_null();
}

static json_t *item_json(const struct rules_list_item *item, size_t place)
{
	const struct dataplane_rule_counters *counters = &item->counters;
	const struct dataplane_rule *rule = counters->rule;
	const char *origin = rule ? rule->origin : "";

	return json_pack("{s:I, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I}", "place", J(place),
			 "name", text_json(counters->name, sizeof(counters->name)), "origin",
			 text_json(origin, DATAPLANE_RULE_ORIGIN_SIZE), "action",
			 rule_text_action(counters->action), "match", match_json(rule), "limit",
			 limit_json(counters), "packets", J(counters->packets), "bytes",
			 J(counters->bytes), "dropped_packets", J(counters->dropped_packets),
			 "dropped_bytes", J(counters->dropped_bytes));
}

json_t *rules_list_json(const struct rules_list *list)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < list->n; i++) {
		if (json_array_append_new(rules, item_json(&list->item[i], i + 1))) {
			json_decref(rules);
			return NULL;
		}
	}
	return json_pack("{s:i, s:o}", "schema", 1, "rules", rules);
}
