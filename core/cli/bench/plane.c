/* SPDX-License-Identifier: BSD-2-Clause */
/* See plane.h. */
#include "plane.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <bpf/bpf.h>

#include "base/address.h"
#include "base/err.h"
#include "dataplane/dataplane.h"
#include "engine/prefix_set.h"
#include "shared.h"

#include "sandbox.h"

/* Where the data plane keeps its pins of this layout. */
#define STRING(x) #x
#define FOLDER(layout) SANDBOX_PIN_PATH "/v" STRING(layout) "/"

#define LEAST_SOURCES 1024
#define HOUR_NS 3600000000000ull

/* What `allow: [own, gateway, resolver]` resolves to on a small server. */
static const struct {
	const char *text;
	bool own;
} default_allow[] = {
	{ "127.0.0.1", true }, { "::1", true },	       { "10.0.0.2", true },
	{ "fd00::2", true },   { "fe80::2", true },    { "10.0.0.1", false },
	{ "fe80::1", false },  { "10.0.0.53", false }, { "fd00::53", false },
};
#define ALLOW_SIZE (sizeof(default_allow) / sizeof(default_allow[0]))

static int allow_defaults(struct plane *plane, struct sluice_err *err)
{
	struct dataplane_allow allow[ALLOW_SIZE] = { 0 };
	struct sluice_key own[ALLOW_SIZE], all[ALLOW_SIZE];
	size_t n_own = 0;
	int code = 0;

	for (size_t i = 0; i < ALLOW_SIZE; i++) {
		code = address_parse(default_allow[i].text, &all[i], err);
		if (code)
			return code;
		allow[i].prefix = all[i];
		if (default_allow[i].own)
			own[n_own++] = all[i];
	}
	code = plane->dp->ops->allow_set(plane->dp, allow, ALLOW_SIZE, err);
	if (!code)
		code = plane->dp->ops->own_set(plane->dp, own, n_own, err);
	return code ? code : prefix_set_new(all, ALLOW_SIZE, &plane->allowed);
}

static int get_table_lines(struct plane *plane, struct sluice_err *err)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(FOLDER(SLUICE_LAYOUT) "sluice_block4");
	int code = fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (code)
		err_set(err, NULL, "cannot read the blocklist's size: %s", err_name(code));
	plane->table_lines =
		(uint32_t)((uint64_t)info.max_entries * info.value_size / SLUICE_CACHE_LINE);
	return code;
}

static int get_pinned(struct plane *plane, struct sluice_err *err)
{
	plane->filter_fd = bpf_obj_get(FOLDER(SLUICE_LAYOUT) "sluice_filter");
	plane->progs_fd = bpf_obj_get(FOLDER(SLUICE_LAYOUT) "sluice_progs");
	if (plane->filter_fd >= 0 && plane->progs_fd >= 0)
		return get_table_lines(plane, err);
	int code = -errno;

	err_set(err, NULL, "cannot open the pinned filter: %s", err_name(code));
	return code;
}

int plane_open(struct plane *plane, uint32_t n, const char *interface, struct sluice_err *err)
{
	const struct dataplane_interface where = { .name = interface,
						   .mode = DATAPLANE_MODE_NATIVE };
	const struct dataplane_live_options options = {
		.interfaces = &where,
		.n_interfaces = interface != NULL,
		.pin_path = SANDBOX_PIN_PATH,
		.max_blocked = n,
		.max_sources = n < LEAST_SOURCES ? LEAST_SOURCES : n,
		.v6_prefix_len = 64,
		.enforce = true,
		.on_death_expire_ns = HOUR_NS,
	};
	int code;

	*plane = (struct plane){ .filter_fd = -1, .progs_fd = -1 };
	code = dataplane_live_open(&options, &plane->dp, err);
	if (!code)
		code = get_pinned(plane, err);
	if (!code)
		code = allow_defaults(plane, err);
	if (code)
		plane_close(plane);
	return code;
}

void plane_close(struct plane *plane)
{
	if (plane->filter_fd >= 0)
		close(plane->filter_fd);
	if (plane->progs_fd >= 0)
		close(plane->progs_fd);
	prefix_set_free(plane->allowed);
	if (plane->dp) {
		dataplane_close(plane->dp);
		/* In the sandbox's own bpffs: what stayed would go with it. */
		(void)!dataplane_live_detach(SANDBOX_PIN_PATH, NULL);
	}
	*plane = (struct plane){ .filter_fd = -1, .progs_fd = -1 };
}

struct sluice_key *plane_keys(uint32_t first_source, uint32_t n)
{
	struct sluice_key *keys = malloc((n + 1) * sizeof(*keys));

	for (uint32_t i = 0; keys && i < n; i++) {
		uint32_t addr = htonl(first_source + i);

		keys[i] = address_from_ipv4(&addr, 32);
	}
	return keys;
}

int plane_block(struct plane *plane, const struct sluice_key *keys, uint32_t n,
		struct sluice_err *err)
{
	struct dataplane_block_record record = { .detector = "bench", .reason = "bench" };

	for (uint32_t i = 0; i < n; i++) {
		dataplane_slot slot;
		int code;

		if (i + DATAPLANE_BLOCK_AHEAD < n)
			plane->dp->ops->block_announce(plane->dp, &keys[i + DATAPLANE_BLOCK_AHEAD]);
		record.key = keys[i];
		if (prefix_set_overlaps(plane->allowed, &record.key))
			continue;
		code = plane->dp->ops->block(plane->dp, &record, &slot, err);
		if (code)
			return code;
	}
	return 0;
}

static void unblock(void *ctx, dataplane_slot slot, const struct dataplane_block_record *record)
{
	struct dataplane *dp = ctx;

	(void)record;
	dp->ops->unblock(dp, slot);
}

void plane_unblock_all(struct plane *plane)
{
	plane->dp->ops->block_foreach(plane->dp, unblock, plane->dp);
}

int plane_without_features(struct plane *plane, struct sluice_err *err)
{
	uint32_t slot = 0;

	if (bpf_map_delete_elem(plane->progs_fd, &slot) == 0)
		return 0;
	int code = -errno;

	err_set(err, NULL, "cannot take the feature program out: %s", err_name(code));
	return code;
}
