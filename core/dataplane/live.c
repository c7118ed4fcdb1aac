/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening the data plane on real interfaces: loads the filter and both feature sides,
 * adopts what is pinned, and attaches last.
 */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/err.h"
#include "egress.h"
#include "libbpf_messages.h"
#include "pinned_link.h"
#include "tc_hook.h"

/* As the filter decides it, but also if nobody has sent anything since. */
static bool has_lapsed(const struct sluice_header *header)
{
	return header->expired ||
	       (header->expires_ns && clock_monotonic_ns(&clock_system) > header->expires_ns);
}

static void filter_pin_path(const struct live *live, char path[256])
{
	snprintf(path, 256, "%s/sluice_filter", live->state.folder);
}

/*
 * Once the new filter is behind every link: the next daemon names it in its own exchange, and
 * `bpftool prog run pinned` tests what runs.
 */
static int pin_filter(struct live *live, struct sluice_err *err)
{
	char path[256];

	filter_pin_path(live, path);
	unlink(path);
	if (bpf_obj_pin(live_filter_fd(live), path) == 0)
		return 0;
	int code = -errno;

	err_set(err, "pin_path", "cannot pin '%s': %s", path, err_name(code));
	return code;
}

static int attach_all(struct live *live, const struct dataplane_live_options *options,
		      struct sluice_err *err)
{
	struct attachment_options attach = {
		.folder = live->state.folder,
		.prog_fd = live_filter_fd(live),
		.shared = options->shared,
		.priority = options->priority,
	};
	char path[256];
	int code = 0;

	live->attachments = calloc(options->n_interfaces + 1, sizeof(*live->attachments));
	if (!live->attachments)
		return -ENOMEM;
	filter_pin_path(live, path);
	attach.old_prog_fd = bpf_obj_get(path);
	for (size_t i = 0; i < options->n_interfaces && !code; i++) {
		code = attachment_open(&live->attachments[i], &options->interfaces[i], &attach,
				       err);
		live->n_attachments += !code;
	}
	if (attach.old_prog_fd >= 0)
		close(attach.old_prog_fd);
	return code;
}

/* When nothing can fail any more: takes off what an earlier daemon had and this one has not. */
static void settle(const struct live *live, const struct dataplane_live_options *options)
{
	const char *folder = live->state.folder;

	attachment_prune(folder, live->attachments, live->n_attachments);
	if (live->egress)
		egress_settle(live->egress);
	tc_hook_prune(folder, options->interfaces, live->egress ? options->n_interfaces : 0);
}

int live_prepare(struct live *live, const struct dataplane_live_options *options,
		 struct sluice_err *err)
{
	struct blocklist_adoption adoption;
	int code;

	live->max_spoken =
		egress_max_hosts(live->replays ? NULL : live->state.folder, options->max_known);
	code = live_load_filter(live, options, err);
	if (!code)
		code = live_map_memory(live, err);
	if (!code && !live->state.adopted)
		code = state_header_write(&live->state, live->header, err);
	if (!code)
		code = live_tables_open(&live->tables, &live->state, err);
	if (!code)
		code = live_open_sides(live, &options->features, live->side, err);
	if (!code)
		code = live_open_lists(live, &adoption, err);
	if (!code && !live->replays)
		code = grace_new(&live->grace, err);
	if (code)
		return code;
	live->header->generation++;
	if (!live->state.adopted)
		live_modes_set(live, options->enforce, options->pass_malformed);
	live->dp.lapsed = live->state.adopted && has_lapsed(live->header);
	live_heartbeat(live);
	live_update_occupancy(live);
	live->dp.occupancy.blocked_capacity = live->header->max_blocked;
	live->dp.occupancy.sources_capacity = options->max_sources + state_max_sources_v6(options);
	live->dp.features = options->features;
	return live_flip_to(live, live->header->side & 1, err);
}

/* The two ways to attach want programs that do not fit into the same pinned array. */
static int check_sharing(const struct state *state, const struct dataplane_live_options *options,
			 struct sluice_err *err)
{
	if (!state->adopted || !attachment_any(state->folder, !options->shared))
		return 0;
	err_set(err, "attach",
		"the running filter is attached by attach: %s; 'sluice detach' first",
		options->shared ? "exclusive" : "dispatcher");
	return -EPROTO;
}

int dataplane_live_open(const struct dataplane_live_options *options, struct dataplane **out,
			struct sluice_err *err)
{
	struct live *live = calloc(1, sizeof(*live));
	int code;

	if (!live)
		return -ENOMEM;
	live->dp.ops = &live_ops;
	live->on_death_expire_ns = options->on_death_expire_ns;
	live->swap = options->swap;
	live->shared = options->shared;
	live->priority = options->priority;
	live->slot_fd = -1;
	libbpf_messages_init();
	for (size_t i = 0; i < options->n_interfaces; i++) {
		if (!if_nametoindex(options->interfaces[i].name)) {
			err_set(err, "interfaces",
				"interface '%s': no such interface; 'ip link' lists them",
				options->interfaces[i].name);
			free(live);
			return -ENODEV;
		}
	}
	code = state_open(&live->state, options, err);
	if (!code)
		code = check_sharing(&live->state, options, err);
	if (code) {
		state_close(&live->state);
		free(live);
		return code;
	}
	live->dp.adopted = live->state.adopted;
	live->pinned = !live->state.adopted;
	code = live_prepare(live, options, err);
	if (!code && live->state.adopted)
		pinned_link_follow(live->state.folder);
	if (!code) {
		deliver_maps_settle(&live->deliver);
		code = attach_all(live, options, err);
	}
	if (!code)
		code = live_open_egress(live, options, err);
	if (!code)
		code = pin_filter(live, err);
	if (code) {
		live_free(live, true);
		return code;
	}
	settle(live, options);
	/* A filter that runs already keeps its modes until nothing can fail any more. */
	live_modes_set(live, options->enforce, options->pass_malformed);
	*out = &live->dp;
	return 0;
}
