/* SPDX-License-Identifier: BSD-2-Clause */
/* Aggregation of events over one window: see report.h. */
#include "report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

void report_init(struct report *report)
{
	memset(report, 0, sizeof(*report));
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static struct report_group *group_for(struct report *report, enum event_kind kind, const char *verb,
				      const char *origin, const char *why)
{
	struct report_group *group;

	for (uint32_t i = 0; i < report->n; i++) {
		group = &report->groups[i];
		if (group->kind == kind && group->verb == verb &&
		    strncmp(group->origin, origin, sizeof(group->origin) - 1) == 0 &&
		    strncmp(group->why, why, sizeof(group->why) - 1) == 0)
			return group;
	}
	if (report->n < REPORT_GROUPS) {
		group = &report->groups[report->n++];
		memset(group, 0, sizeof(*group));
		group->kind = kind;
		group->verb = verb;
		copy(group->origin, sizeof(group->origin), origin);
		copy(group->why, sizeof(group->why), why);
		return group;
	}
	/* No room: at least what kind of thing it was stays right, if any group is of that kind. */
	for (uint32_t i = 0; i < report->n; i++) {
		if (report->groups[i].kind == kind)
			return &report->groups[i];
	}
	return NULL;
}

static void add(struct report *report, enum event_kind kind, const char *verb,
		enum sluice_log_level level, const struct sluice_key *key, const char *origin,
		const char *why, const char *detail)
{
	struct report_group *group = group_for(report, kind, verb, origin, why);

	if (!group)
		return;
	group->level = level;
	if (group->count < REPORT_SINGLES) {
		group->keys[group->count] = key ? *key : (struct sluice_key){ 0 };
		copy(group->details[group->count], sizeof(group->details[0]), detail);
	}
	if (group->count < UINT32_MAX)
		group->count++;
}

void report_add(struct report *report, enum event_kind kind, enum sluice_log_level level,
		const struct sluice_key *key, const char *origin, const char *why,
		const char *detail)
{
	add(report, kind, NULL, level, key, origin, why, detail);
}

void report_add_candidate(struct report *report, const struct sluice_key *key, const char *origin,
			  const char *why, const char *detail)
{
	static const char verb[] = "would be blocked";

	add(report, EVENT_KIND_BLOCKED, verb, SLUICE_LOG_NOTICE, key, origin, why, detail);
}

static const char *verb_of(const struct report_group *group)
{
	if (group->verb)
		return group->verb;
	switch (group->kind) {
	case EVENT_KIND_BLOCKED:
		return "blocked";
	case EVENT_KIND_RELEASED:
		return "released";
	case EVENT_KIND_BLOCK_REFUSED:
		return "not blocked";
	case EVENT_KIND_RULE_REFUSED:
		return "rule not enforced";
	case EVENT_KIND_SWAP_POSTPONED:
		return "window postponed";
	default:
		return event_kind_name(group->kind);
	}
}

static bool repeats(enum event_kind kind)
{
	return kind == EVENT_KIND_BLOCK_REFUSED || kind == EVENT_KIND_RULE_REFUSED ||
	       kind == EVENT_KIND_SWAP_POSTPONED;
}

static void emit_single(const struct report_group *group, uint32_t i, const struct event_sink *sink)
{
	const struct sluice_key *key = group->keys[i].family ? &group->keys[i] : NULL;
	const char *detail = group->details[i];
	char text[ADDRESS_TEXT_SIZE];

	event_emit(sink, group->kind, group->level, key, 1, group->origin, "%s%s%s: %s%s%s%s",
		   key ? address_format(key, text) : "", key ? " " : "", verb_of(group), group->why,
		   *detail ? " (" : "", detail, *detail ? ")" : "");
}

static void emit_many(const struct report_group *group, const struct event_sink *sink)
{
	const struct sluice_key *key = group->keys[0].family ? &group->keys[0] : NULL;
	const char *detail = group->details[0];
	char text[ADDRESS_TEXT_SIZE];

	event_emit(sink, group->kind, group->level, key, group->count, group->origin,
		   "%u %s %s: %s%s%s%s%s%s", group->count, key ? "sources" : "times",
		   verb_of(group), group->why, key ? "; for example " : "",
		   key ? address_format(key, text) : "", *detail ? " (" : "", detail,
		   *detail ? ")" : "");
}

void report_flush(struct report *report, const struct event_sink *sink, uint64_t now_ns)
{
	uint32_t kept = 0;
	bool held[EVENT_N_KINDS] = { false };

	for (uint32_t i = 0; i < report->n; i++) {
		struct report_group *group = &report->groups[i];

		/* Held back: goes on counting until its time has come. */
		if (repeats(group->kind) && now_ns < report->quiet_until_ns[group->kind]) {
			report->groups[kept++] = *group;
			continue;
		}
		held[group->kind] = repeats(group->kind);
		if (group->count <= REPORT_SINGLES && !repeats(group->kind)) {
			for (uint32_t k = 0; k < group->count; k++)
				emit_single(group, k, sink);
		} else if (group->count == 1) {
			emit_single(group, 0, sink);
		} else {
			emit_many(group, sink);
		}
	}
	report->n = kept;
	for (size_t kind = 0; kind < EVENT_N_KINDS; kind++) {
		if (held[kind])
			report->quiet_until_ns[kind] = now_ns + REPORT_REPEAT_NS;
	}
}
