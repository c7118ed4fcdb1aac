/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_explanation.h. */
#include "rule_explanation.h"

#include "dataplane/rule_text.h"
#include "engine/engine.h"

#include "text_json.h"

#define J(value) ((json_int_t)(value))

/* What a source calls blocked a rule calls enforced; one of the file's is configured. */
static const char *state_name(enum engine_state state)
{
	switch (state) {
	case ENGINE_STATE_BLOCKED:
		return "enforced";
	case ENGINE_STATE_PINNED:
		return "configured";
	default:
		return engine_state_name(state);
	}
}

static const char *verdict_name(const struct engine_rule_explanation *explanation)
{
	if (!explanation->dropped)
		return "passes";
	return explanation->rule.action == DATAPLANE_RULE_DROP ? "drops" : "limits";
}

static json_t *detectors_json(const struct engine_rule_explanation *explanation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < explanation->n_detectors; i++)
		json_array_append_new(list, text_json(explanation->detectors[i],
						      sizeof(explanation->detectors[i])));
	return list;
}

json_t *rule_explanation_json(const struct engine_rule_explanation *explanation)
{
	const struct dataplane_rule *rule = &explanation->rule;
	char match[RULE_TEXT_SIZE];
	json_t *json;

	json = json_pack("{s:o, s:s, s:s, s:b, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "rule",
			 text_json(rule->name, sizeof(rule->name)), "verdict",
			 verdict_name(explanation), "state", state_name(explanation->state),
			 "automatic", explanation->automatic, "action",
			 rule_text_action(rule->action), "match", rule_text_match(rule, match),
			 "exempt_known", rule->exempts_known, "detectors",
			 detectors_json(explanation), "reason",
			 text_json(explanation->reason, sizeof(explanation->reason)), "evidence",
			 text_json(explanation->evidence, sizeof(explanation->evidence)),
			 "first_seen", time_json(explanation->first_seen_realtime_ns), "changed",
			 time_json(explanation->changed_realtime_ns));
	if (!json)
		return NULL;
	json_object_set_new(json, "windows_since_asked",
			    explanation->windows_since_asked == UINT64_MAX
				    ? json_null()
				    : json_integer(J(explanation->windows_since_asked)));
	json_object_set_new(json, "pps", json_integer(J(explanation->pps)));
	json_object_set_new(json, "dropped_pps", json_integer(J(explanation->dropped_pps)));
	json_object_set_new(json, "packets", json_integer(J(explanation->packets)));
	json_object_set_new(json, "bytes", json_integer(J(explanation->bytes)));
	json_object_set_new(json, "dropped_packets", json_integer(J(explanation->dropped_packets)));
	json_object_set_new(json, "dropped_bytes", json_integer(J(explanation->dropped_bytes)));
	json_object_set_new(json, "repeats", json_integer(J(explanation->repeats)));
	json_object_set_new(json, "quiet_left_ns", json_integer(J(explanation->quiet_left_ns)));
	json_object_set_new(json, "ttl_left_ns", json_integer(J(explanation->ttl_left_ns)));
	json_object_set_new(json, "held_ns", json_integer(J(explanation->held_ns)));
	json_object_set_new(json, "release",
			    text_json(explanation->release, sizeof(explanation->release)));
	return json;
}
