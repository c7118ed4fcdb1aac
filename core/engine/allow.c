/* SPDX-License-Identifier: BSD-2-Clause */
/* The allow-list and its two-step change: see allow.h. */
#include "allow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "config/settings.h"
#include "prefix_set.h"
#include "system_addresses.h"

/* One state of the list, complete. */
struct version {
	struct dataplane_allow *list;
	size_t n;
	struct sluice_key *own;
	size_t n_own;
	struct prefix_set *set; /* The list and our own addresses. */
};

struct allow {
	struct engine_addresses addresses;
	struct system_addresses resolved;
	bool was_resolved;
	struct sluice_key *added;
	size_t n_added;
	struct version current, next;
	bool in_force; /* The data plane has `current`. */
};

static void version_fini(struct version *version)
{
	free(version->list);
	free(version->own);
	prefix_set_free(version->set);
	memset(version, 0, sizeof(*version));
}

int allow_new(const struct engine_addresses *addresses, struct allow **out)
{
	struct allow *allow = calloc(1, sizeof(*allow));

	if (!allow)
		return -ENOMEM;
	if (addresses)
		allow->addresses = *addresses;
	else
		allow->addresses.resolve = system_addresses_resolve;
	system_addresses_init(&allow->resolved);
	allow->added = calloc(ALLOW_ADDED_MAX, sizeof(*allow->added));
	if (!allow->added) {
		allow_free(allow);
		return -ENOMEM;
	}
	*out = allow;
	return 0;
}

void allow_free(struct allow *allow)
{
	if (!allow)
		return;
	system_addresses_fini(&allow->resolved);
	free(allow->added);
	version_fini(&allow->current);
	version_fini(&allow->next);
	free(allow);
}

int allow_add(struct allow *allow, const struct sluice_key *prefix)
{
	for (size_t i = 0; i < allow->n_added; i++) {
		if (address_equal(&allow->added[i], prefix))
			return 0;
	}
	if (allow->n_added == ALLOW_ADDED_MAX)
		return -ENOSPC;
	allow->added[allow->n_added++] = *prefix;
	return 0;
}

void allow_forget_added(struct allow *allow, size_t from)
{
	if (from < allow->n_added)
		allow->n_added = from;
}

size_t allow_added(const struct allow *allow)
{
	return allow->n_added;
}

size_t allow_size(const struct allow *allow)
{
	return allow->current.n;
}

static int resolve(struct allow *allow, struct sluice_err *err)
{
	struct system_addresses fresh;
	int rc;

	system_addresses_init(&fresh);
	rc = allow->addresses.resolve(allow->addresses.ctx, &fresh);
	if (rc) {
		system_addresses_fini(&fresh);
		if (allow->was_resolved)
			return 0;
		err_set(err, "allow", "cannot find this host's own addresses: %s (%s)",
			strerror(-rc), err_name(rc));
		return rc;
	}
	system_addresses_fini(&allow->resolved);
	allow->resolved = fresh;
	allow->was_resolved = true;
	return 0;
}

static bool kind_matches(enum settings_allow_kind wanted, enum system_address_kind kind)
{
	switch (wanted) {
	case SETTINGS_ALLOW_OWN:
		return kind == SYSTEM_ADDRESS_OWN;
	case SETTINGS_ALLOW_GATEWAY:
		return kind == SYSTEM_ADDRESS_GATEWAY;
	case SETTINGS_ALLOW_RESOLVER:
		return kind == SYSTEM_ADDRESS_RESOLVER;
	default:
		return false;
	}
}

static int by_prefix(const void *a, const void *b)
{
	const struct dataplane_allow *left = a, *right = b;

	return address_compare(&left->prefix, &right->prefix);
}

static int by_key(const void *a, const void *b)
{
	return address_compare(a, b);
}

/* Sorts and makes each prefix appear once; exempt if any of its mentions is. */
static void normalize(struct version *version)
{
	size_t kept = 0;

	qsort(version->list, version->n, sizeof(*version->list), by_prefix);
	for (size_t i = 0; i < version->n; i++) {
		struct dataplane_allow *last = kept ? &version->list[kept - 1] : NULL;

		if (last && address_equal(&last->prefix, &version->list[i].prefix))
			last->exempt |= version->list[i].exempt;
		else
			version->list[kept++] = version->list[i];
	}
	version->n = kept;
	qsort(version->own, version->n_own, sizeof(*version->own), by_key);
}

static void collect(const struct allow *allow, const struct settings *settings, size_t n_added,
		    struct version *version)
{
	const struct system_addresses *resolved = &allow->resolved;

	for (size_t i = 0; i < settings->n_allow; i++) {
		const struct settings_allow *wanted = &settings->allow[i];

		if (wanted->kind == SETTINGS_ALLOW_PREFIX)
			version->list[version->n++] =
				(struct dataplane_allow){ wanted->prefix, wanted->exempt };
		for (size_t k = 0; k < resolved->n; k++) {
			if (kind_matches(wanted->kind, resolved->list[k].kind))
				version->list[version->n++] =
					(struct dataplane_allow){ resolved->list[k].key,
								  wanted->exempt };
		}
	}
	for (size_t i = 0; i < n_added; i++)
		version->list[version->n++] = (struct dataplane_allow){ allow->added[i], false };
	for (size_t k = 0; k < resolved->n; k++) {
		if (resolved->list[k].kind == SYSTEM_ADDRESS_OWN)
			version->own[version->n_own++] = resolved->list[k].key;
	}
}

static int make_set(struct version *version)
{
	size_t n = version->n + version->n_own;
	struct sluice_key *keys = calloc(n + 1, sizeof(*keys));
	int rc;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < version->n; i++)
		keys[i] = version->list[i].prefix;
	if (version->n_own)
		memcpy(keys + version->n, version->own, version->n_own * sizeof(*keys));
	rc = prefix_set_new(keys, n, &version->set);
	free(keys);
	return rc;
}

static int make_version(const struct allow *allow, const struct settings *settings, bool with_added,
			struct version *version)
{
	size_t most = settings->n_allow * (allow->resolved.n + 1) + allow->n_added;

	memset(version, 0, sizeof(*version));
	version->list = calloc(most + 1, sizeof(*version->list));
	version->own = calloc(allow->resolved.n + 1, sizeof(*version->own));
	if (!version->list || !version->own)
		goto out;
	collect(allow, settings, with_added ? allow->n_added : 0, version);
	normalize(version);
	if (make_set(version))
		goto out;
	return 0;
out:
	version_fini(version);
	return -ENOMEM;
}

static bool version_equal(const struct version *a, const struct version *b)
{
	if (a->n != b->n || a->n_own != b->n_own)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->list[i].exempt != b->list[i].exempt ||
		    !address_equal(&a->list[i].prefix, &b->list[i].prefix))
			return false;
	}
	for (size_t i = 0; i < a->n_own; i++) {
		if (!address_equal(&a->own[i], &b->own[i]))
			return false;
	}
	return true;
}

int allow_prepare(struct allow *allow, const struct settings *settings, bool with_added,
		  bool *changed, struct sluice_err *err)
{
	int rc = resolve(allow, err);

	*changed = false;
	if (rc)
		return rc;
	version_fini(&allow->next);
	rc = make_version(allow, settings, with_added, &allow->next);
	if (rc) {
		err_set(err, "allow", "no memory for the allow-list");
		return rc;
	}
	*changed = !allow->in_force || !version_equal(&allow->current, &allow->next);
	return 0;
}

const struct prefix_set *allow_next(const struct allow *allow)
{
	return allow->next.set;
}

int allow_commit(struct allow *allow, struct dataplane *dp, struct sluice_err *err)
{
	struct version *next = &allow->next;
	int rc;

	/*
	 * The list last: as long as it is not in the data plane, what the last one allows is what
	 * must not be blocked.
	 */
	rc = dp->ops->own_set(dp, next->own, next->n_own, err);
	if (!rc)
		rc = dp->ops->allow_set(dp, next->list, next->n, err);
	if (rc) {
		/* Whatever of it got there, the whole list is tried again at the next look. */
		allow->in_force = false;
		version_fini(next);
		return rc;
	}
	version_fini(&allow->current);
	allow->current = *next;
	memset(next, 0, sizeof(*next));
	allow->in_force = true;
	return 0;
}

bool allow_overlaps(const struct allow *allow, const struct sluice_key *key)
{
	return prefix_set_overlaps(allow->current.set, key);
}

bool allow_covers(const struct allow *allow, const struct sluice_key *key)
{
	return prefix_set_covers(allow->current.set, key);
}

const struct dataplane_allow *allow_find(const struct allow *allow, const struct sluice_key *key)
{
	const struct dataplane_allow *best = NULL;

	for (size_t i = 0; i < allow->current.n; i++) {
		const struct dataplane_allow *entry = &allow->current.list[i];

		if ((address_covers(&entry->prefix, key) || address_covers(key, &entry->prefix)) &&
		    (!best || entry->prefix.prefix_len > best->prefix.prefix_len))
			best = entry;
	}
	return best;
}
