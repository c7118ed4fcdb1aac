/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests by hand: block, unblock, allow.  A single source in the policy's unit becomes an entry
 * of the blocklist; anything else, wider or narrower, becomes a prefix.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"

static int check_key(const struct sluice_key *key, struct sluice_err *err)
{
	if (address_is_valid(key))
		return 0;
	err_set(err, NULL, "not an address or prefix");
	return -EINVAL;
}

static bool is_unit(const struct engine *engine, const struct sluice_key *key)
{
	struct sluice_key unit;

	return engine_unit(engine, key, &unit) && unit.prefix_len == key->prefix_len;
}

static void flush(struct engine *engine)
{
	report_flush(&engine->report, engine->events, clock_monotonic_ns(engine->clock));
}

static void tell_blocked(struct engine *engine, const struct sluice_key *key, uint64_t ttl_ns)
{
	char term[32] = "until unblocked";

	if (ttl_ns)
		snprintf(term, sizeof(term), "for %.3g s", (double)ttl_ns / 1e9);
	report_add(&engine->report, EVENT_KIND_BLOCKED, SLUICE_LOG_NOTICE, key, "operator",
		   "by hand", term);
	flush(engine);
}

static int refuse_allowed(const struct engine *engine, const struct sluice_key *key,
			  struct sluice_err *err)
{
	const struct dataplane_allow *by = allow_find(engine->allow, key);
	char text[ADDRESS_TEXT_SIZE], by_text[ADDRESS_TEXT_SIZE];

	address_format(key, text);
	if (by)
		err_set(err, NULL, "%s is not blocked: the allow-list holds %s", text,
			address_format(&by->prefix, by_text));
	else
		err_set(err, NULL, "%s is not blocked: it is, or contains, an address of this host",
			text);
	return -EPERM;
}

static int block_prefix(struct engine *engine, const struct sluice_key *key, uint64_t ttl_ns,
			struct sluice_err *err)
{
	uint64_t now_ns = engine_boottime_ns(engine);
	const struct prefix_list_entry entry = {
		.key = *key,
		.first_seen_ns = now_ns,
		.expires_ns = ttl_ns ? now_ns + ttl_ns : 0,
	};
	int rc, added;

	if (key->prefix_len == 0) {
		err_set(err, NULL, "a prefix of length 0 would block everybody");
		return -EINVAL;
	}
	/* Narrower allow-listed prefixes inside are looked up by the filter, and win there. */
	if (allow_covers(engine->allow, key))
		return refuse_allowed(engine, key, err);
	added = prefix_list_add(&engine->prefixes, &entry);
	if (added < 0) {
		err_set(err, NULL, "no memory for a prefix");
		return added;
	}
	rc = engine->dp->ops->prefix_set(engine->dp, key, entry.expires_ns, err);
	if (rc) {
		if (added)
			prefix_list_del(&engine->prefixes, engine->prefixes.n - 1);
		return rc;
	}
	engine->blocks_total += (uint64_t)added;
	tell_blocked(engine, key, ttl_ns);
	return 0;
}

int engine_block(struct engine *engine, const struct sluice_key *key, uint64_t ttl_ns,
		 struct sluice_err *err)
{
	uint64_t now_ns = engine_boottime_ns(engine);
	const struct blocklist_terms terms = engine_terms(engine);
	const struct blocklist_request request = {
		.key = *key,
		.now_ns = now_ns,
		.ttl_ns = ttl_ns,
		.detector = engine->operator_id,
		.reason = engine->manual_id,
		.evidence = "blocked by hand",
		.sequence = (uint32_t)engine->window.sequence,
		.manual = true,
	};
	struct blocklist_entry *entry;
	int rc = check_key(key, err);

	if (rc)
		return rc;
	if (!is_unit(engine, key))
		return block_prefix(engine, key, ttl_ns, err);
	if (allow_overlaps(engine->allow, key))
		return refuse_allowed(engine, key, err);
	entry = blocklist_find(engine->blocklist, key);
	if (entry) {
		blocklist_pin(engine->blocklist, entry, ttl_ns ? now_ns + ttl_ns : 0,
			      engine->operator_id, engine->manual_id);
		tell_blocked(engine, key, ttl_ns);
		return 0;
	}
	if (blocklist_size(engine->blocklist) >= engine->settings->policy.max_blocked) {
		err_set(err, "policy.max_blocked", "%u sources are blocked, which is the limit",
			engine->settings->policy.max_blocked);
		return -ENOSPC;
	}
	rc = blocklist_block(engine->blocklist, &request, &terms, err);
	if (rc)
		return rc;
	engine->blocks_total++;
	tell_blocked(engine, key, ttl_ns);
	return 0;
}

static int unblock_prefix(struct engine *engine, struct prefix_list_entry *prefix,
			  struct sluice_err *err)
{
	struct sluice_key key = prefix->key;
	int rc = engine->dp->ops->prefix_del(engine->dp, &key, err);

	if (rc)
		return rc;
	prefix_list_del(&engine->prefixes, (size_t)(prefix - engine->prefixes.entries));
	engine->released_total++;
	report_add(&engine->report, EVENT_KIND_RELEASED, SLUICE_LOG_NOTICE, &key, "operator",
		   "by hand", NULL);
	flush(engine);
	return 0;
}

int engine_unblock(struct engine *engine, const struct sluice_key *key, struct sluice_err *err)
{
	struct prefix_list_entry *prefix;
	const struct prefix_list_entry *covering;
	struct blocklist_entry *entry = NULL;
	char text[ADDRESS_TEXT_SIZE], by_text[ADDRESS_TEXT_SIZE];
	struct sluice_key unit;
	int rc = check_key(key, err);

	if (rc)
		return rc;
	prefix = prefix_list_find(&engine->prefixes, key);
	if (prefix)
		return unblock_prefix(engine, prefix, err);
	/* An IPv6 address is blocked as its unit, so that it is freed as its unit, too. */
	if (engine_unit(engine, key, &unit))
		entry = blocklist_find(engine->blocklist, &unit);
	if (entry) {
		release_entry(engine, entry, LIFECYCLE_EVENT_UNBLOCK, "by hand", 0);
		flush(engine);
		return 0;
	}
	address_format(key, text);
	covering = prefix_list_covering(&engine->prefixes, key);
	if (covering)
		err_set(err, NULL, "%s is blocked as part of %s; unblock that", text,
			address_format(&covering->key, by_text));
	else
		err_set(err, NULL, "%s is not blocked", text);
	return -ENOENT;
}

int engine_allow(struct engine *engine, const struct sluice_key *prefix, struct sluice_err *err)
{
	size_t added_before = allow_added(engine->allow);
	char text[ADDRESS_TEXT_SIZE];
	bool changed;
	int rc = check_key(prefix, err);

	if (rc)
		return rc;
	rc = allow_add(engine->allow, prefix);
	if (rc) {
		err_set(err, NULL,
			"%d prefixes were added since the last reload, which is the limit; "
			"put them into the deployment file and reload",
			ALLOW_ADDED_MAX);
		return rc;
	}
	rc = allow_prepare(engine->allow, engine->settings, true, &changed, err);
	if (!rc && changed)
		rc = release_allowed(engine, err);
	if (rc) {
		allow_forget_added(engine->allow, added_before);
		flush(engine);
		return rc;
	}
	event_emit(engine->events, EVENT_KIND_ALLOWED, SLUICE_LOG_NOTICE, prefix, 1, "operator",
		   "%s allow-listed until the next reload", address_format(prefix, text));
	flush(engine);
	return 0;
}

static bool is_in_file(const struct engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->rule_set.n_config; i++)
		if (strcmp(engine->rule_set.rules[i].name, name) == 0)
			return true;
	return false;
}

int engine_unblock_rule(struct engine *engine, const char *name, uint64_t *held_ns,
			struct sluice_err *err)
{
	int rc;

	if (is_in_file(engine, name)) {
		err_set(err, NULL,
			"rule '%s' is one of the deployment file's; remove it there, then `sluice "
			"reload`",
			name);
		return -EPERM;
	}
	*held_ns = engine->settings->policy.ttl_ns;
	rc = rule_policy_release_one(engine, name, engine_boottime_ns(engine) + *held_ns);
	if (rc)
		err_set(err, NULL, "there is no rule '%s' in force; `sluice rules` lists them",
			name);
	else
		flush(engine);
	return rc;
}
