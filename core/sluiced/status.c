/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots and explanations as JSON.  See status.h. */
#include "status.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/address.h"
#include "xsk/socket.h"

#include "snapshot.h"
#include "text_json.h"
#include "version.h"

#define J(value) ((json_int_t)(value))

static uint64_t per_second(uint64_t count, uint64_t length_ns)
{
	return length_ns ? (uint64_t)((double)count * 1e9 / (double)length_ns) : 0;
}

static const char *interface_state(const struct snapshot_interface *interface)
{
	if (interface->gone)
		return "gone";
	return interface->detached ? "detached" : "attached";
}

static json_t *interfaces_json(const struct snapshot *snapshot)
{
	json_t *list = json_array();

	for (size_t i = 0; i < snapshot->n_interfaces; i++) {
		const struct snapshot_interface *interface = &snapshot->interfaces[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:o}", "name", interface->name,
						"mode", interface->mode, "state",
						interface_state(interface), "deliver_slot",
						interface->deliver_slot < 0
							? json_null()
							: json_integer(interface->deliver_slot)));
	}
	return list;
}

static json_t *reasons_json(const struct snapshot *snapshot, bool drops)
{
	json_t *map = json_object();

	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		enum dataplane_reason reason = (enum dataplane_reason)i;

		if (dataplane_reason_is_drop(reason) != drops)
			continue;
		json_object_set_new(map, dataplane_reason_name(reason),
				    json_pack("{s:I, s:I, s:I}", "packets",
					      J(snapshot->counters.reason[i].packets), "bytes",
					      J(snapshot->counters.reason[i].bytes), "pps",
					      J(snapshot->pps[i])));
	}
	return map;
}

static json_t *traffic_json(const struct sluice_window *window)
{
	uint64_t ns = window->length_ns;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "offered_pps",
			 J(per_second(window->offered_packets, ns)), "offered_bps",
			 J(per_second(window->offered_bytes * 8, ns)), "passed_pps",
			 J(per_second(window->passed_packets, ns)), "blocked_pps",
			 J(per_second(window->blocked_packets, ns)), "hw_pps",
			 J(per_second(window->hw_packets, ns)), "dropped_pps",
			 J(per_second(window->dropped_packets, ns)), "untracked_pps",
			 J(per_second(window->untracked_packets, ns)));
}

/* What is measured, and how many sources it was in the last window. */
static json_t *features_json(const struct snapshot *snapshot)
{
	const struct engine_status *engine = &snapshot->engine;
	const struct sluice_window *window = &engine->window;
	json_t *loaded = json_pack("[s]", "source");

	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *name = dataplane_feature_name(snapshot->features.loaded & bit);

		if (name)
			json_array_append_new(loaded, json_string(name));
	}
	return json_pack("{s:o, s:{s:I, s:I, s:f}, s:I, s:I, s:I}", "loaded", loaded, "sources",
			 "tracked", J(window->n_sources), "distinct", J(window->distinct_sources),
			 "error", window->distinct_error, "untracked_total",
			 J(engine->untracked_total), "samples_total", J(engine->samples_total),
			 "samples_lost_total", J(engine->samples_lost_total));
}

static json_t *blocked_json(const struct snapshot *snapshot)
{
	const struct engine_status *engine = &snapshot->engine;
	uint64_t in_software =
		engine->blocked > engine->offloaded ? engine->blocked - engine->offloaded : 0;

	return json_pack("{s:I, s:{s:I, s:I}, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I, "
			 "s:I}}",
			 "total", J(engine->blocked), "by_state", "blocked", J(in_software),
			 "offloaded", J(engine->offloaded), "manual", J(engine->blocked_manual),
			 "prefixes", J(engine->blocked_prefixes), "ipv4",
			 J(snapshot->occupancy.blocked_v4), "ipv6",
			 J(snapshot->occupancy.blocked_v6), "capacity",
			 J(snapshot->occupancy.blocked_capacity), "blocks_total",
			 J(engine->blocks_total), "released_total", J(engine->released_total),
			 "refused_total", J(engine->refused_total), "not_enforced", "known",
			 J(engine->protected_known), "allow", J(engine->protected_allow), "observe",
			 J(engine->would_block));
}

/* The filter's rules in sum; each of them is told by `sluice rules`. */
static json_t *rules_json(const struct engine_status *engine)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I}}", "config",
			 J(engine->rules_config), "automatic", J(engine->rules), "enforced_total",
			 J(engine->rules_enforced_total), "released_total",
			 J(engine->rules_released_total), "refused_total",
			 J(engine->rules_refused_total), "not_enforced", "observe",
			 J(engine->would_rule), "outvoted", J(engine->outvoted));
}

static json_t *spoofed_json(const struct engine_status *engine)
{
	return json_pack("{s:b, s:I}", "active", engine->spoofed, "refused",
			 J(engine->refused_spoofed));
}

static const char *egress_name(enum dataplane_egress egress)
{
	if (egress == DATAPLANE_EGRESS_TCX)
		return "tcx";
	return egress == DATAPLANE_EGRESS_CLSACT ? "clsact" : "off";
}

/* Known clients: who they are, and what the programs at tc have seen. */
static json_t *known_json(const struct snapshot *snapshot)
{
	const struct engine_known_count *known = &snapshot->engine.known;
	const struct dataplane_egress_counts *counts = &snapshot->egress_counts;

	return json_pack("{s:I, s:I, s:I, s:{s:I, s:I}, s:I, s:I, s:I, s:I, s:s, s:{s:I, s:I, s:I, "
			 "s:I, s:I, s:I}}",
			 "total", J(known->total), "established", J(known->established),
			 "spoken_first", J(known->spoken_first), "by_stacks", "connected",
			 J(known->told_connected), "spoken_first", J(known->told_spoken_first),
			 "capacity", J(known->capacity), "in_filter", J(snapshot->occupancy.known),
			 "left_out", J(snapshot->engine.known_left_out), "exempted_packets",
			 J(snapshot->counters.reason[DATAPLANE_REASON_KNOWN].packets), "egress",
			 egress_name(snapshot->egress), "first_words", "tcp", J(counts->tcp), "udp",
			 J(counts->udp), "icmp", J(counts->icmp), "replies", J(counts->replies),
			 "refused", J(counts->refused), "relayed", J(counts->relayed));
}

static json_t *offload_json(const struct snapshot *snapshot)
{
	const struct offload_status *offload = &snapshot->offload;
	json_t *json;

	if (!snapshot->has_offload)
		return json_pack("{s:b}", "enabled", 0);
	json = json_pack("{s:b, s:o, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "enabled", 1,
			 "backend", text_json(offload->backend, sizeof(offload->backend)),
			 "emulated", offload->emulated, "counters", offload->counters, "healthy",
			 offload->healthy, "entries", J(offload->used), "capacity",
			 J(offload->capacity), "adds", J(offload->adds), "dels", J(offload->dels),
			 "refused", J(offload->refused), "failures", J(offload->failures));
	if (!json)
		return NULL;
	json_object_set_new(json, "driver", text_json(offload->driver, sizeof(offload->driver)));
	json_object_set_new(json, "probation", json_integer(J(offload->probation)));
	json_object_set_new(json, "threshold", json_real(offload->threshold));
	json_object_set_new(json, "volume_pps", json_integer(J(offload->volume_pps)));
	json_object_set_new(json, "max_volume_pps", json_integer(J(offload->max_volume_pps)));
	json_object_set_new(json, "update_p50_ns", json_integer(J(offload->update_p50_ns)));
	json_object_set_new(json, "update_p99_ns", json_integer(J(offload->update_p99_ns)));
	json_object_set_new(json, "last_error",
			    text_json(offload->last_error, sizeof(offload->last_error)));
	return json;
}

static json_t *window_json(const struct engine_status *engine)
{
	json_t *stages = json_object();

	for (int i = 0; i < ENGINE_N_STAGES; i++)
		json_object_set_new(stages, engine_stage_name((enum engine_stage)i),
				    json_pack("{s:I, s:I}", "last_ns", J(engine->stage_ns[i]),
					      "max_ns", J(engine->stage_max_ns[i])));
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "count", J(engine->windows), "length_ns",
			 J(engine->window_ns), "work_ns", J(engine->total_ns), "postponed",
			 J(engine->postponed), "stages", stages);
}

static json_t *detectors_json(const struct snapshot *snapshot)
{
	json_t *list = json_array();

	for (size_t i = 0; i < snapshot->n_detectors; i++) {
		const struct engine_detector_status *status = &snapshot->detectors[i].status;
		const struct sluice_verdict *verdict = &status->verdict;
		/* JSON has no infinity. */
		double score = verdict->score >= 0 && verdict->score < 1e15 ? verdict->score : 1e15;

		json_array_append_new(
			list, json_pack("{s:s, s:b, s:b, s:b, s:f, s:o, s:I, s:I, s:I, s:I, s:I}",
					"name", snapshot->detectors[i].name, "enforce",
					status->enforce, "disabled", status->disabled, "attack",
					verdict->attack, "score", score, "evidence",
					text_json(verdict->evidence, sizeof(verdict->evidence)),
					"proposals", J(status->proposals), "rule_proposals",
					J(status->rule_proposals), "failures", J(status->failures),
					"attack_windows", J(status->attack_windows), "last_ns",
					J(status->last_ns)));
	}
	return list;
}

static json_t *daemon_json(const struct snapshot *snapshot, const struct status_context *context)
{
	struct utsname kernel = { .release = "" };

	/* An unknown kernel is shown as an empty name. */
	(void)uname(&kernel);
	return json_pack("{s:s, s:s, s:i, s:s, s:o, s:f, s:b}", "version", SLUICE_VERSION, "kernel",
			 kernel.release, "pid", context->pid, "config", context->config, "started",
			 time_json(snapshot->started_realtime_ns), "uptime_seconds",
			 (double)context->uptime_ns / 1e9, "adopted", snapshot->adopted);
}

static json_t *attack_json(const struct snapshot *snapshot)
{
	const struct engine_status *engine = &snapshot->engine;
	uint64_t started_ns = engine->attack_started_realtime_ns;
	uint64_t now_ns = snapshot->taken_realtime_ns;
	bool lasts = engine->attack && now_ns > started_ns;

	return json_pack("{s:b, s:o, s:I, s:I}", "active", engine->attack, "started",
			 time_json(started_ns), "duration_ns", J(lasts ? now_ns - started_ns : 0),
			 "count", J(engine->attacks));
}

/* null: everything goes to Linux. */
static json_t *deliver_json(const struct snapshot *snapshot)
{
	const struct dataplane_deliver_counts *counts = &snapshot->deliver;

	if (!snapshot->delivers)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I}", "socket", J(counts->socket), "no_socket",
			 J(counts->no_socket), "fragment", J(counts->fragment), "other",
			 J(counts->other));
}

/* Of each half of the frames; its sums are what there is of frames. */
static json_t *frames_json(const struct port_counts *c)
{
	return json_pack("{s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}}", "receive", "kernel",
			 J(c->receive_kernel), "stack", J(c->receive_stack), "free",
			 J(c->receive_free), "in_flight", J(c->receive_flight), "send", "kernel",
			 J(c->send_kernel), "written", J(c->send_written), "free", J(c->send_free),
			 "in_flight", J(c->send_flight));
}

/* null: it has not said anything yet. */
static json_t *stack_counts_json(const struct stack_door_client *stack)
{
	const struct port_counts *c = &stack->counts;

	if (!stack->reported)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "received",
			 J(c->received), "received_bytes", J(c->received_bytes), "dropped",
			 J(c->dropped), "sent", J(c->sent), "sent_bytes", J(c->sent_bytes),
			 "wakeups", J(c->wakeups), "no_buffer", J(c->no_buffer), "refused",
			 J(c->refused), "frames", frames_json(c));
}

static json_t *stacks_json(const struct snapshot *snapshot)
{
	json_t *list = json_array();

	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		const struct stack_door_client *stack = &snapshot->stacks[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:i, s:b, s:s, s:s, s:i, s:I, s:I, s:o}", "interface",
				  stack->ifname, "queue", (int)stack->queue, "pid", (int)stack->pid,
				  "ready", stack->ready, "mode", xsk_mode_name(stack->mode),
				  "checksums", stack->sums ? "offloaded" : "software", "n_frames",
				  (int)stack->n_frames, "met", J(stack->met), "met_left_out",
				  J(stack->met_left_out), "counts", stack_counts_json(stack)));
	}
	return list;
}

json_t *status_json(const struct snapshot *snapshot, const struct status_context *context)
{
	const struct engine_status *engine = &snapshot->engine;

	return json_pack(
		"{s:i, s:o, s:o, s:b, s:s?, s:o, s:o, s:{s:I}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I}}",
		"schema", 1, "time", time_json(snapshot->taken_realtime_ns), "daemon",
		daemon_json(snapshot, context), "enforce", engine->enforce, "placement",
		snapshot->placement, "interfaces", interfaces_json(snapshot), "attack",
		attack_json(snapshot), "allow", "by_hand", J(engine->allowed_by_hand), "traffic",
		traffic_json(&engine->window), "features", features_json(snapshot), "blocked",
		blocked_json(snapshot), "known", known_json(snapshot), "rules", rules_json(engine),
		"spoofed", spoofed_json(engine), "drops", reasons_json(snapshot, true), "passes",
		reasons_json(snapshot, false), "offload", offload_json(snapshot), "deliver",
		deliver_json(snapshot), "stacks", stacks_json(snapshot), "window",
		window_json(engine), "detectors", detectors_json(snapshot), "events", "total",
		J(snapshot->events.total), "overwritten", J(snapshot->events.overwritten));
}

json_t *status_explanation_json(const struct engine_explanation *explanation)
{
	char source[ADDRESS_TEXT_SIZE];
	json_t *json;

	json = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "source",
			 address_format(&explanation->key, source), "verdict",
			 explanation->dropped ? "dropped" : "passed", "state",
			 engine_state_name(explanation->state), "allowed", explanation->allowed,
			 "known", explanation->known, "prefix", explanation->prefix, "detector",
			 text_json(explanation->detector, sizeof(explanation->detector)), "reason",
			 text_json(explanation->reason, sizeof(explanation->reason)), "evidence",
			 text_json(explanation->evidence, sizeof(explanation->evidence)),
			 "first_seen", time_json(explanation->first_seen_realtime_ns), "last_seen",
			 time_json(explanation->last_seen_realtime_ns));
	if (!json)
		return NULL;
	json_object_set_new(json, "pps", json_integer(J(explanation->pps)));
	json_object_set_new(json, "hw_pps", json_integer(J(explanation->hw_pps)));
	json_object_set_new(json, "hw_age_ns",
			    explanation->hw_age_ns == OFFLOAD_AGE_UNKNOWN
				    ? json_null()
				    : json_integer(J(explanation->hw_age_ns)));
	json_object_set_new(json, "passed_pps", json_integer(J(explanation->passed_pps)));
	json_object_set_new(json, "rules", json_integer(J(explanation->rules)));
	json_object_set_new(json, "rules_dropped_pps",
			    json_integer(J(explanation->rules_dropped_pps)));
	json_object_set_new(json, "dropped_packets", json_integer(J(explanation->dropped_packets)));
	json_object_set_new(json, "repeats", json_integer(J(explanation->repeats)));
	json_object_set_new(json, "quiet_windows", json_integer(J(explanation->quiet_windows)));
	json_object_set_new(json, "ttl_left_ns", json_integer(J(explanation->ttl_left_ns)));
	json_object_set_new(json, "release",
			    text_json(explanation->release, sizeof(explanation->release)));
	return json;
}

json_t *status_top_json(const struct engine_top_source *list, size_t n, size_t total)
{
	json_t *sources = json_array();
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct engine_top_source *source = &list[i];

		json_array_append_new(
			sources,
			json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:o, s:o}", "source",
				  address_format(&source->key, text), "verdict",
				  source->dropped ? "dropped" : "passed", "state",
				  engine_state_name(source->state), "known", source->known, "pps",
				  J(source->pps), "hw_pps", J(source->hw_pps), "detector",
				  text_json(source->detector, sizeof(source->detector)), "reason",
				  text_json(source->reason, sizeof(source->reason))));
	}
	return json_pack("{s:i, s:I, s:o}", "schema", 1, "total", J(total), "sources", sources);
}
