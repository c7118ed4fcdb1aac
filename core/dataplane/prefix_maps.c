/* SPDX-License-Identifier: BSD-2-Clause */
/* See prefix_maps.h. */
#include "prefix_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/address.h"
#include "base/err.h"
#include "hash.h"

/* Either family's key, as the maps want it. */
union lpm_key {
	struct sluice_lpm4_key v4;
	struct sluice_lpm6_key v6;
};

static void lpm_from_key(union lpm_key *lpm, const struct sluice_key *key)
{
	memset(lpm, 0, sizeof(*lpm));
	if (key->family == SLUICE_FAMILY_IPV4) {
		lpm->v4.prefix_len = key->prefix_len;
		memcpy(&lpm->v4.addr, key->addr, sizeof(lpm->v4.addr));
	} else {
		lpm->v6.prefix_len = key->prefix_len;
		memcpy(lpm->v6.addr, key->addr, sizeof(lpm->v6.addr));
	}
}

/* What lies in a pinned map may be anything: lengths beyond the width are cut by these. */
static struct sluice_key lpm_to_key(const union lpm_key *lpm, uint8_t family)
{
	if (family == SLUICE_FAMILY_IPV4)
		return address_from_ipv4(&lpm->v4.addr, lpm->v4.prefix_len);
	return address_from_ipv6(lpm->v6.addr, lpm->v6.prefix_len);
}

static void flag_set(struct prefix_maps *maps, uint32_t flag, bool on)
{
	if (on)
		__atomic_fetch_or(&maps->header->flags, flag, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&maps->header->flags, ~flag, __ATOMIC_RELEASE);
}

/* What one of the maps holds: prefixes, and the value of each. */
struct entry {
	struct sluice_key key;
	uint64_t value;
};

struct entry_list {
	struct entry *entries;
	size_t n, capacity;
};

static int entry_list_add(struct entry_list *list, const struct entry *entry)
{
	if (list->n == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		struct entry *grown = realloc(list->entries, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->entries = grown;
		list->capacity = capacity;
	}
	list->entries[list->n++] = *entry;
	return 0;
}

static int read_map(int fd, uint8_t family, struct entry_list *list)
{
	union lpm_key key, next;
	const void *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &next) == 0) {
		struct entry entry = { .key = lpm_to_key(&next, family) };
		int code = bpf_map_lookup_elem(fd, &next, &entry.value) ? -errno : 0;

		if (!code)
			code = entry_list_add(list, &entry);
		if (code)
			return code;
		key = next;
		previous = &key;
	}
	return errno == ENOENT ? 0 : -errno;
}

static int read_maps(int fd4, int fd6, struct entry_list *list, struct sluice_err *err)
{
	int code = read_map(fd4, SLUICE_FAMILY_IPV4, list);

	if (!code)
		code = read_map(fd6, SLUICE_FAMILY_IPV6, list);
	if (code)
		err_set(err, NULL, "cannot read the pinned prefixes: %s", err_name(code));
	return code;
}

static int write_key(int fd4, int fd6, const struct sluice_key *key, uint64_t value, __u64 flags)
{
	union lpm_key lpm;
	int fd = key->family == SLUICE_FAMILY_IPV4 ? fd4 : fd6;

	lpm_from_key(&lpm, key);
	return bpf_map_update_elem(fd, &lpm, &value, flags) ? -errno : 0;
}

static int delete_key(int fd4, int fd6, const struct sluice_key *key)
{
	union lpm_key lpm;
	int fd = key->family == SLUICE_FAMILY_IPV4 ? fd4 : fd6;

	lpm_from_key(&lpm, key);
	return bpf_map_delete_elem(fd, &lpm) ? -errno : 0;
}

int prefix_maps_init(struct prefix_maps *maps, struct sluice_err *err)
{
	struct entry_list list = { 0 };
	int code = read_maps(maps->prefix4_fd, maps->prefix6_fd, &list, err);

	maps->n_prefixes = (uint32_t)list.n;
	free(list.entries);
	/* Of a map that cannot be read the filter goes on using what it holds. */
	if (!code)
		flag_set(maps, SLUICE_HEADER_HAS_PREFIXES, maps->n_prefixes > 0);
	return code;
}

int prefix_maps_set(struct prefix_maps *maps, const struct sluice_key *prefix, uint64_t expires_ns,
		    struct sluice_err *err)
{
	char text[ADDRESS_TEXT_SIZE];
	int code;

	if (!address_is_valid(prefix) || prefix->prefix_len == 0) {
		err_set(err, NULL, "block '%s': not a prefix that can be blocked",
			address_format(prefix, text));
		return -EINVAL;
	}
	code = write_key(maps->prefix4_fd, maps->prefix6_fd, prefix, expires_ns, BPF_NOEXIST);

	bool fresh = code == 0;

	if (code == -EEXIST)
		code = write_key(maps->prefix4_fd, maps->prefix6_fd, prefix, expires_ns, BPF_EXIST);
	if (code) {
		err_set(err, NULL, "block '%s': %s", address_format(prefix, text),
			code == -ENOSPC ? "too many blocked prefixes" : err_name(code));
		return code;
	}
	maps->n_prefixes += fresh;
	flag_set(maps, SLUICE_HEADER_HAS_PREFIXES, true);
	return 0;
}

int prefix_maps_del(struct prefix_maps *maps, const struct sluice_key *prefix,
		    struct sluice_err *err)
{
	char text[ADDRESS_TEXT_SIZE];
	int code = delete_key(maps->prefix4_fd, maps->prefix6_fd, prefix);

	if (code) {
		err_set(err, NULL, "unblock '%s': %s", address_format(prefix, text),
			code == -ENOENT ? "it is not blocked" : err_name(code));
		return code;
	}
	if (maps->n_prefixes && --maps->n_prefixes == 0)
		flag_set(maps, SLUICE_HEADER_HAS_PREFIXES, false);
	return 0;
}

int prefix_maps_foreach(const struct prefix_maps *maps, dataplane_prefix_fn fn, void *ctx,
			struct sluice_err *err)
{
	struct entry_list list = { 0 };
	int code = read_maps(maps->prefix4_fd, maps->prefix6_fd, &list, err);

	for (size_t i = 0; !code && i < list.n; i++)
		fn(ctx, &list.entries[i].key, list.entries[i].value);
	free(list.entries);
	return code;
}

static bool allow_has(const struct dataplane_allow *allow, size_t n, const struct sluice_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (address_equal(&allow[i].prefix, key))
			return true;
	return false;
}

int prefix_maps_allow_set(struct prefix_maps *maps, const struct dataplane_allow *allow, size_t n,
			  struct sluice_err *err)
{
	struct entry_list old = { 0 };
	bool exempt = false;
	int code = read_maps(maps->allow4_fd, maps->allow6_fd, &old, err);

	/* The new ones first, so that no allowed source is without its entry meanwhile. */
	for (size_t i = 0; !code && i < n; i++) {
		exempt |= allow[i].exempt;
		code = write_key(maps->allow4_fd, maps->allow6_fd, &allow[i].prefix,
				 allow[i].exempt ? SLUICE_ALLOW_EXEMPT : 0, BPF_ANY);
		if (code)
			err_set(err, "allow", "cannot write the allow-list: %s", err_name(code));
	}
	if (!code) {
		flag_set(maps, SLUICE_HEADER_HAS_EXEMPT, exempt);
		for (size_t i = 0; i < old.n; i++)
			if (!allow_has(allow, n, &old.entries[i].key))
				delete_key(maps->allow4_fd, maps->allow6_fd, &old.entries[i].key);
	}
	free(old.entries);
	return code;
}

static struct sluice_own_key own_from_key(const struct sluice_key *key)
{
	struct sluice_own_key own;

	memcpy(own.addr, key->addr, sizeof(own.addr));
	return own;
}

static int own_write(const struct prefix_maps *maps, const struct sluice_key *own, size_t n,
		     uint64_t bloom[4])
{
	uint8_t value = 1;

	for (size_t i = 0; i < n; i++) {
		struct sluice_own_key key = own_from_key(&own[i]);
		uint32_t bit = hash_own_bit(key.addr[0], key.addr[1]);

		if (bpf_map_update_elem(maps->own_fd, &key, &value, BPF_ANY))
			return -errno;
		bloom[bit >> 6] |= 1ull << (bit & 63);
	}
	return 0;
}

/* Removes what is not in `own`; the map is small. */
static void own_sweep(const struct prefix_maps *maps, const struct sluice_key *own, size_t n)
{
	struct sluice_own_key key, next;
	const void *previous = NULL;

	while (bpf_map_get_next_key(maps->own_fd, previous, &next) == 0) {
		bool wanted = false;

		for (size_t i = 0; i < n && !wanted; i++) {
			struct sluice_own_key mine = own_from_key(&own[i]);

			wanted = memcmp(&mine, &next, sizeof(next)) == 0;
		}
		if (!wanted) {
			if (bpf_map_delete_elem(maps->own_fd, &next))
				return;
			previous = NULL; /* The walk may not go on from a deleted key. */
			continue;
		}
		key = next;
		previous = &key;
	}
}

int prefix_maps_own_set(struct prefix_maps *maps, const struct sluice_key *own, size_t n,
			struct sluice_err *err)
{
	uint64_t bloom[4] = { 0 };
	int code = own_write(maps, own, n, bloom);

	if (code) {
		err_set(err, "allow", "cannot write our own %zu addresses: %s", n, err_name(code));
		return code;
	}
	for (int i = 0; i < 4; i++)
		__atomic_store_n(&maps->header->own_bloom[i], bloom[i], __ATOMIC_RELEASE);
	own_sweep(maps, own, n);
	return 0;
}
