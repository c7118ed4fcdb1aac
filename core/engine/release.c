/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All the ways out of the blocklist.  Walks go from the end, because the last entry moves into the gap
 * that a release leaves: what moves has been looked at.
 */
#include "internal.h"

#include <stdio.h>

#include "prefix_set.h"

/* What min_pass took back is not blocked automatically again before. */
#define WITHDRAWN_HOLD_NS (60ull * 1000000000ull)
#define KNOWN_RELEASE_NS 1000000000ull

bool release_entry(struct engine *engine, struct blocklist_entry *entry, enum lifecycle_event event,
		   const char *why, uint64_t held_until_ns)
{
	const struct blocklist_detail *detail = blocklist_detail(engine->blocklist, entry);
	const char *origin = name_table_get(&engine->names, detail->detector);
	struct sluice_key key = entry->view.key;
	char dropped[48];

	snprintf(dropped, sizeof(dropped), "%llu packets dropped",
		 (unsigned long long)entry->dropped);
	if (!blocklist_release(engine->blocklist, entry, event, engine_boottime_ns(engine),
			       held_until_ns))
		return false;
	engine->released_total++;
	report_add(&engine->report, EVENT_KIND_RELEASED, SLUICE_LOG_INFO, &key, origin, why,
		   dropped);
	return true;
}

static void release_prefix(struct engine *engine, size_t i, const char *why)
{
	struct sluice_key key = engine->prefixes.entries[i].key;
	struct sluice_err err = { 0 };

	if (engine->dp->ops->prefix_del(engine->dp, &key, &err)) {
		/* It stays listed, so that it is tried again and the operator sees it. */
		report_add(&engine->report, EVENT_KIND_BLOCK_REFUSED, SLUICE_LOG_ERROR, &key,
			   "operator", "a blocked prefix could not be removed", err.text);
		return;
	}
	prefix_list_del(&engine->prefixes, i);
	engine->released_total++;
	report_add(&engine->report, EVENT_KIND_RELEASED, SLUICE_LOG_INFO, &key, "operator", why,
		   NULL);
}

void release_due(struct engine *engine)
{
	uint64_t now_ns = engine_boottime_ns(engine);
	char quiet[48];

	snprintf(quiet, sizeof(quiet), "quiet for %u windows",
		 engine->settings->rate_monitor.windows);
	for (size_t i = 0; i < engine->measured.n_due; i++) {
		const struct blocklist_due *due = &engine->measured.due[i];
		struct blocklist_entry *entry = blocklist_by_handle(engine->blocklist, due->handle);
		const char *why = "its time is over";

		if (due->event == LIFECYCLE_EVENT_QUIET_LONG)
			why = quiet;
		if (entry)
			release_entry(engine, entry, due->event, why, 0);
	}
	for (size_t i = engine->prefixes.n; i-- > 0;) {
		const struct prefix_list_entry *prefix = &engine->prefixes.entries[i];

		if (prefix->expires_ns && now_ns >= prefix->expires_ns)
			release_prefix(engine, i, "its time is over");
	}
}

static void release_if_known(struct engine *engine, struct blocklist_entry *entry)
{
	if (entry && engine_is_known(engine, &entry->view.key))
		release_entry(engine, entry, LIFECYCLE_EVENT_WITHDRAW,
			      "it has become a known client", 0);
}

void release_known(struct engine *engine, uint64_t now_ns)
{
	size_t n = 0, n_blocked = blocklist_size(engine->blocklist);
	const struct sluice_key *keys = NULL;
	struct sluice_key unit;

	if (!engine->known_changed || !engine->settings->policy.protect_known ||
	    now_ns < engine->next_known_release_ns)
		return;
	engine->known_changed = false;
	engine->next_known_release_ns = now_ns + KNOWN_RELEASE_NS;
	if (engine->known.list)
		keys = engine->known.list(engine->known.ctx, &n);
	/* The shorter of the two decides. */
	if (!keys || n_blocked <= n) {
		for (size_t i = n_blocked; i-- > 0;)
			release_if_known(engine, &blocklist_entries(engine->blocklist)[i]);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (engine_unit(engine, &keys[i], &unit))
			release_if_known(engine, blocklist_find(engine->blocklist, &unit));
	}
}

void release_newest(struct engine *engine)
{
	uint64_t until_ns = engine_boottime_ns(engine) + WITHDRAWN_HOLD_NS;
	uint32_t sequence = (uint32_t)engine->window.sequence;

	for (size_t i = blocklist_size(engine->blocklist); i-- > 0;) {
		struct blocklist_entry *entry = &blocklist_entries(engine->blocklist)[i];

		if (entry->born && sequence - entry->born <= min_pass_reach(&engine->min_pass))
			release_entry(engine, entry, LIFECYCLE_EVENT_WITHDRAW,
				      "too little passed right after it was blocked", until_ns);
	}
	rule_policy_withdraw_newest(engine, until_ns);
}

void release_automatic(struct engine *engine, const char *why)
{
	rule_policy_release_all(engine, why);
	for (size_t i = blocklist_size(engine->blocklist); i-- > 0;)
		release_entry(engine, &blocklist_entries(engine->blocklist)[i],
			      LIFECYCLE_EVENT_WITHDRAW, why, 0);
}

int release_allowed(struct engine *engine, struct sluice_err *err)
{
	const struct prefix_set *next = allow_next(engine->allow);

	for (size_t i = blocklist_size(engine->blocklist); i-- > 0;) {
		struct blocklist_entry *entry = &blocklist_entries(engine->blocklist)[i];

		if (prefix_set_overlaps(next, &entry->view.key))
			release_entry(engine, entry, LIFECYCLE_EVENT_UNBLOCK, "allow-listed", 0);
	}
	for (size_t i = engine->prefixes.n; i-- > 0;) {
		if (prefix_set_covers(next, &engine->prefixes.entries[i].key))
			release_prefix(engine, i, "allow-listed");
	}
	return allow_commit(engine->allow, engine->dp, err);
}
