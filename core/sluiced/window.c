/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine's thread does: a window, and the snapshot of it that everybody else reads. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "config/settings.h"

#include "daemon_state.h"
#include "exposition.h"

static const char *mode_name(enum settings_mode mode)
{
	switch (mode) {
	case SETTINGS_MODE_NATIVE:
		return "native";
	case SETTINGS_MODE_GENERIC:
		return "generic";
	case SETTINGS_MODE_HARDWARE:
		return "hardware";
	}
	return "unknown";
}

static void take_delivery(struct daemon *daemon)
{
	struct snapshot *snapshot = &daemon->snapshot;
	const struct dataplane_ops *ops = daemon->dataplane->ops;

	snapshot->delivers = ops->deliver_sockets(daemon->dataplane) >= 0;
	ops->deliver_read(daemon->dataplane, &snapshot->deliver);
	snapshot->n_stacks = stack_door_clients(daemon->door, snapshot->stacks);
}

static void take_snapshot(struct daemon *daemon)
{
	struct snapshot *snapshot = &daemon->snapshot;
	struct dataplane_counters counters;
	struct engine_status status;
	uint64_t now = clock_monotonic_ns(&clock_system);

	engine_status(daemon->engine, &status);
	snapshot_set_engine(snapshot, &status);
	daemon->dataplane->ops->counters_read(daemon->dataplane, &counters);
	snapshot_set_counters(snapshot, &counters, &daemon->counters,
			      daemon->counters_ns ? now - daemon->counters_ns : 0);
	daemon->counters = counters;
	daemon->counters_ns = now;
	snapshot_set_rules(snapshot, daemon->dataplane);
	snapshot->occupancy = daemon->dataplane->occupancy;
	snapshot->egress = daemon->dataplane->egress;
	daemon->dataplane->ops->egress_read(daemon->dataplane, &snapshot->egress_counts);
	snapshot->features = daemon->dataplane->features;
	take_delivery(daemon);
	snapshot->placement =
		settings_placement_name(generation_settings(daemon->generation)->placement);
	if (daemon->offload)
		offload_status(daemon->offload, &snapshot->offload);
	for (size_t i = 0; i < snapshot->n_interfaces; i++) {
		struct snapshot_interface *interface = &snapshot->interfaces[i];

		/* One that came back under its name is another one, without our program. */
		interface->gone = if_nametoindex(interface->name) != interface->ifindex;
	}
	event_log_stats(daemon->log, &snapshot->events);
	snapshot->taken_realtime_ns = clock_realtime_ns(&clock_system);
	snapshot_board_put(daemon->board, snapshot);
}

/* The engine looks after attachments; its sentence names the interface in quotes. */
void window_note_interface(struct daemon *daemon, const struct event *event)
{
	for (size_t i = 0; i < daemon->snapshot.n_interfaces; i++) {
		struct snapshot_interface *interface = &daemon->snapshot.interfaces[i];
		char quoted[IFNAMSIZ + 2];

		snprintf(quoted, sizeof(quoted), "'%s'", interface->name);
		if (!strstr(event->text, quoted))
			continue;
		if (event->kind == EVENT_KIND_DETACHED)
			interface->detached = true;
		else
			interface->ifindex = if_nametoindex(interface->name);
	}
}

void window_refresh(void *ctx)
{
	struct daemon *daemon = ctx;
	struct engine_status status;

	engine_status(daemon->engine, &status);
	snapshot_set_engine(&daemon->snapshot, &status);
	snapshot_set_rules(&daemon->snapshot, daemon->dataplane);
	daemon->snapshot.occupancy = daemon->dataplane->occupancy;
	daemon->snapshot.egress = daemon->dataplane->egress;
	daemon->dataplane->ops->egress_read(daemon->dataplane, &daemon->snapshot.egress_counts);
	daemon->snapshot.features = daemon->dataplane->features;
	take_delivery(daemon);
	event_log_stats(daemon->log, &daemon->snapshot.events);
	snapshot_board_put(daemon->board, &daemon->snapshot);
}

void window_init(struct daemon *daemon)
{
	const struct settings *settings = generation_settings(daemon->generation);
	struct snapshot *snapshot = &daemon->snapshot;

	snapshot->started_realtime_ns = clock_realtime_ns(&clock_system);
	snapshot->adopted = daemon->adopted;
	snapshot->has_offload = daemon->offload != NULL;
	for (size_t i = 0; i < settings->n_interfaces && i < SNAPSHOT_INTERFACES_MAX; i++) {
		struct snapshot_interface *interface = &snapshot->interfaces[i];

		memcpy(interface->name, settings->interfaces[i].name, sizeof(interface->name));
		interface->mode = mode_name(settings->interfaces[i].mode);
		interface->ifindex = if_nametoindex(interface->name);
		interface->deliver_slot =
			daemon->dataplane->ops->deliver_slot(daemon->dataplane, interface->name);
		snapshot->n_interfaces = i + 1;
	}
	take_snapshot(daemon);
}

void window_step(void *ctx)
{
	struct daemon *daemon = ctx;

	/* A window that is lost has said so by an event; the next one comes in any case. */
	if (engine_step(daemon->engine) == 0 && daemon->watchdog)
		sd_notify(0, "WATCHDOG=1");
	take_snapshot(daemon);
}

uint64_t window_next_ns(void *ctx)
{
	const struct daemon *daemon = ctx;

	return engine_next_ns(daemon->engine);
}

void window_render(void *ctx, FILE *out)
{
	struct daemon *daemon = ctx;
	struct snapshot *snapshot = malloc(sizeof(*snapshot));

	/* An empty page makes the scrape fail visibly, which is what it should do. */
	if (!snapshot)
		return;
	snapshot_board_get(daemon->board, snapshot);
	exposition_write(snapshot, out);
	free(snapshot);
}
