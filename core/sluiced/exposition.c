/* SPDX-License-Identifier: BSD-2-Clause */
/* The metrics' names and their meaning.  See exposition.h. */
#include "exposition.h"

#include <stddef.h>
#include <stdio.h>

#include "control/metrics_text.h"

#include "snapshot.h"
#include "version.h"

static void gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
	metrics_text_family(out, name, "gauge", help);
	metrics_text_u64(out, name, NULL, value);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t value)
{
	metrics_text_family(out, name, "counter", help);
	metrics_text_u64(out, name, NULL, value);
}

static void write_general(FILE *out, const struct snapshot *snapshot)
{
	const struct metrics_label version[] = { { "version", SLUICE_VERSION }, { NULL, NULL } };

	metrics_text_family(out, "sluice_build_info", "gauge", "Always 1; the version is a label.");
	metrics_text_u64(out, "sluice_build_info", version, 1);
	metrics_text_family(out, "sluice_start_time_seconds", "gauge",
			    "When the daemon started, seconds since 1970.");
	metrics_text_seconds(out, "sluice_start_time_seconds", NULL, snapshot->started_realtime_ns);
	gauge(out, "sluice_adopted", "1 if pinned state of an earlier daemon was taken over.",
	      snapshot->adopted);
	gauge(out, "sluice_enforce", "1 if sources are dropped, 0 in observe mode.",
	      snapshot->engine.enforce);
	gauge(out, "sluice_attack", "1 while an attack goes on.", snapshot->engine.attack);
	counter(out, "sluice_attacks_total", "Attacks since the daemon started.",
		snapshot->engine.attacks);
	metrics_text_family(out, "sluice_interface_protected", "gauge",
			    "1 while the interface exists and carries the filter.");
	for (size_t i = 0; i < snapshot->n_interfaces; i++) {
		const struct snapshot_interface *interface = &snapshot->interfaces[i];
		const struct metrics_label labels[] = {
			{ "interface", interface->name },
			{ "mode", interface->mode },
			{ NULL, NULL },
		};

		metrics_text_u64(out, "sluice_interface_protected", labels,
				 !interface->gone && !interface->detached);
	}
}

static void write_packets(FILE *out, const struct snapshot *snapshot)
{
	metrics_text_family(out, "sluice_packets_total", "counter",
			    "Packets by what the filter did with them.");
	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		const struct metrics_label labels[] = {
			{ "reason", dataplane_reason_name((enum dataplane_reason)i) },
			{ NULL, NULL },
		};

		metrics_text_u64(out, "sluice_packets_total", labels,
				 snapshot->counters.reason[i].packets);
	}
	metrics_text_family(out, "sluice_bytes_total", "counter",
			    "Bytes of whole frames by what the filter did with them.");
	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		const struct metrics_label labels[] = {
			{ "reason", dataplane_reason_name((enum dataplane_reason)i) },
			{ NULL, NULL },
		};

		metrics_text_u64(out, "sluice_bytes_total", labels,
				 snapshot->counters.reason[i].bytes);
	}
}

/* One family over all signature rules. */
static void write_rule_family(FILE *out, const struct snapshot *snapshot, const char *name,
			      const char *help, uint64_t (*value)(const struct snapshot_rule *))
{
	metrics_text_family(out, name, "counter", help);
	for (size_t i = 0; i < snapshot->n_rules; i++) {
		const struct snapshot_rule *rule = &snapshot->rules[i];
		const struct metrics_label labels[] = {
			{ "rule", rule->name },
			{ "action", rule->action },
			{ "origin", rule->origin },
			{ NULL, NULL },
		};

		metrics_text_u64(out, name, labels, value(rule));
	}
}

static uint64_t rule_packets(const struct snapshot_rule *rule)
{
	return rule->matched.packets;
}

static uint64_t rule_bytes(const struct snapshot_rule *rule)
{
	return rule->matched.bytes;
}

static uint64_t rule_dropped_packets(const struct snapshot_rule *rule)
{
	return rule->dropped.packets;
}

static uint64_t rule_dropped_bytes(const struct snapshot_rule *rule)
{
	return rule->dropped.bytes;
}

static void write_rules(FILE *out, const struct snapshot *snapshot)
{
	write_rule_family(out, snapshot, "sluice_rule_packets_total",
			  "Packets that the signature rule decided on.", rule_packets);
	write_rule_family(out, snapshot, "sluice_rule_bytes_total",
			  "Bytes of frames that the signature rule decided on.", rule_bytes);
	write_rule_family(out, snapshot, "sluice_rule_dropped_packets_total",
			  "Packets that the signature rule dropped.", rule_dropped_packets);
	write_rule_family(out, snapshot, "sluice_rule_dropped_bytes_total",
			  "Bytes of frames that the signature rule dropped.", rule_dropped_bytes);
}

static void write_window(FILE *out, const struct snapshot *snapshot)
{
	const struct engine_status *engine = &snapshot->engine;

	counter(out, "sluice_windows_total", "Windows since the daemon started.", engine->windows);
	counter(out, "sluice_windows_postponed_total", "Windows whose swap came late.",
		engine->postponed);
	metrics_text_family(out, "sluice_window_seconds", "gauge", "Length of a window.");
	metrics_text_seconds(out, "sluice_window_seconds", NULL, engine->window_ns);
	metrics_text_family(out, "sluice_window_work_seconds", "gauge",
			    "Work of the last window, all stages.");
	metrics_text_seconds(out, "sluice_window_work_seconds", NULL, engine->total_ns);
	metrics_text_family(out, "sluice_window_stage_seconds", "gauge",
			    "Time of each stage in the last window.");
	for (int i = 0; i < ENGINE_N_STAGES; i++) {
		const struct metrics_label labels[] = {
			{ "stage", engine_stage_name((enum engine_stage)i) }, { NULL, NULL }
		};

		metrics_text_seconds(out, "sluice_window_stage_seconds", labels,
				     engine->stage_ns[i]);
	}
	metrics_text_family(out, "sluice_window_stage_max_seconds", "gauge",
			    "The longest that each stage took since the daemon started.");
	for (int i = 0; i < ENGINE_N_STAGES; i++) {
		const struct metrics_label labels[] = {
			{ "stage", engine_stage_name((enum engine_stage)i) }, { NULL, NULL }
		};

		metrics_text_seconds(out, "sluice_window_stage_max_seconds", labels,
				     engine->stage_max_ns[i]);
	}
	gauge(out, "sluice_window_offered_packets", "Packets offered in the last window.",
	      engine->window.offered_packets);
	gauge(out, "sluice_window_passed_packets", "Packets passed in the last window.",
	      engine->window.passed_packets);
	gauge(out, "sluice_window_untracked_packets",
	      "Packets passed in the last window whose sources found no room in the table.",
	      engine->window.untracked_packets);
}

static void write_deliver(FILE *out, const struct snapshot *snapshot)
{
	const struct {
		const char *outcome;
		uint64_t packets;
	} rows[] = {
		{ "socket", snapshot->deliver.socket },
		{ "no_socket", snapshot->deliver.no_socket },
		{ "fragment", snapshot->deliver.fragment },
		{ "other", snapshot->deliver.other },
	};

	if (!snapshot->delivers)
		return;
	metrics_text_family(out, "sluice_delivered_packets_total", "counter",
			    "Packets that passed, by where they went: to an AF_XDP socket, or to "
			    "Linux and why.");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct metrics_label labels[] = { { "outcome", rows[i].outcome },
							{ NULL, NULL } };

		metrics_text_u64(out, "sluice_delivered_packets_total", labels, rows[i].packets);
	}
}

/* One metric of all stacks: the counter of each that lies at `offset` of its counts. */
static void write_stack_counter(FILE *out, const struct snapshot *snapshot, const char *name,
				const char *help, size_t offset)
{
	metrics_text_family(out, name, "counter", help);
	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		const struct stack_door_client *stack = &snapshot->stacks[i];
		char queue[16];
		const struct metrics_label labels[] = { { "interface", stack->ifname },
							{ "queue", queue },
							{ NULL, NULL } };

		if (!stack->reported)
			continue;
		snprintf(queue, sizeof(queue), "%u", stack->queue);
		metrics_text_u64(out, name, labels,
				 *(const uint64_t *)((const char *)&stack->counts + offset));
	}
}

static void write_stack_frames(FILE *out, const struct stack_door_client *stack)
{
	const struct port_counts *c = &stack->counts;
	const struct {
		const char *half, *owner;
		uint32_t frames;
	} rows[] = {
		{ "receive", "kernel", c->receive_kernel },
		{ "receive", "stack", c->receive_stack },
		{ "receive", "free", c->receive_free },
		{ "send", "kernel", c->send_kernel },
		{ "send", "stack", c->send_written },
		{ "send", "free", c->send_free },
	};
	char queue[16];

	snprintf(queue, sizeof(queue), "%u", stack->queue);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct metrics_label labels[] = { { "interface", stack->ifname },
							{ "queue", queue },
							{ "half", rows[i].half },
							{ "owner", rows[i].owner },
							{ NULL, NULL } };

		metrics_text_u64(out, "sluice_stack_frames", labels, rows[i].frames);
	}
}

static void write_stacks(FILE *out, const struct snapshot *snapshot)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[] = {
		{ "sluice_stack_received_packets_total",
		  "Packets that the stack of a queue took from its socket.",
		  offsetof(struct port_counts, received) },
		{ "sluice_stack_received_bytes_total", "The same in bytes.",
		  offsetof(struct port_counts, received_bytes) },
		{ "sluice_stack_dropped_packets_total",
		  "Packets that came to the socket and found no free frame.",
		  offsetof(struct port_counts, dropped) },
		{ "sluice_stack_sent_packets_total", "Packets that the stack of a queue sent.",
		  offsetof(struct port_counts, sent) },
		{ "sluice_stack_sent_bytes_total", "The same in bytes.",
		  offsetof(struct port_counts, sent_bytes) },
		{ "sluice_stack_no_buffer_total",
		  "Times that the stack wanted to write a packet and no frame was free.",
		  offsetof(struct port_counts, no_buffer) },
		{ "sluice_stack_refused_total",
		  "Calls of the stack, or entries of a ring, that made no sense.",
		  offsetof(struct port_counts, refused) },
	};

	if (!snapshot->n_stacks)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_stack_counter(out, snapshot, rows[i].name, rows[i].help, rows[i].offset);
	metrics_text_family(out, "sluice_stack_frames", "gauge",
			    "Frames of a queue's socket by half and by whose they are.");
	for (size_t i = 0; i < snapshot->n_stacks; i++)
		if (snapshot->stacks[i].reported)
			write_stack_frames(out, &snapshot->stacks[i]);
}

static void write_features(FILE *out, const struct snapshot *snapshot)
{
	const struct engine_status *engine = &snapshot->engine;
	static const struct metrics_label source[] = { { "feature", "source" }, { NULL, NULL } };

	metrics_text_family(out, "sluice_feature_loaded", "gauge",
			    "1 for each feature extractor that is loaded.");
	metrics_text_u64(out, "sluice_feature_loaded", source, 1);
	for (uint32_t bit = 1; bit; bit <<= 1) {
		const struct metrics_label labels[] = { { "feature", dataplane_feature_name(bit) },
							{ NULL, NULL } };

		if (labels[0].value)
			metrics_text_u64(out, "sluice_feature_loaded", labels,
					 (snapshot->features.loaded & bit) != 0);
	}
	gauge(out, "sluice_window_sources", "Sources tracked in the last window.",
	      engine->window.n_sources);
	gauge(out, "sluice_window_distinct_sources",
	      "Distinct sources that passed in the last window, estimated if not all were tracked.",
	      engine->window.distinct_sources);
	metrics_text_family(out, "sluice_window_distinct_error", "gauge",
			    "Relative standard error of the distinct sources; 0 is exact.");
	metrics_text_double(out, "sluice_window_distinct_error", NULL,
			    engine->window.distinct_error);
	metrics_text_family(out, "sluice_untracked_packets_total", "counter",
			    "Packets of those that had to make room in a table.");
	metrics_text_u64(out, "sluice_untracked_packets_total", source, engine->untracked_total);
	metrics_text_u64(out, "sluice_untracked_packets_total",
			 (const struct metrics_label[]){ { "feature", "flow" }, { NULL, NULL } },
			 engine->untracked_flow_total);
	metrics_text_u64(out, "sluice_untracked_packets_total",
			 (const struct metrics_label[]){ { "feature", "destination" },
							 { NULL, NULL } },
			 engine->untracked_destination_total);
	gauge(out, "sluice_window_flows", "Flows tracked in the last window.",
	      engine->window.n_flows);
	gauge(out, "sluice_window_destinations", "Destinations tracked in the last window.",
	      engine->window.n_destinations);
	counter(out, "sluice_samples_total", "Packets sampled.", engine->samples_total);
	counter(out, "sluice_samples_lost_total", "Packets drawn for which there was no room.",
		engine->samples_lost_total);
}

static void write_table(FILE *out, const struct snapshot *snapshot)
{
	static const struct metrics_label v4[] = { { "family", "ipv4" }, { NULL, NULL } };
	static const struct metrics_label v6[] = { { "family", "ipv6" }, { NULL, NULL } };
	const struct dataplane_occupancy *occupancy = &snapshot->occupancy;

	metrics_text_family(out, "sluice_blocklist_entries", "gauge",
			    "Sources in the filter's blocklist.");
	metrics_text_u64(out, "sluice_blocklist_entries", v4, occupancy->blocked_v4);
	metrics_text_u64(out, "sluice_blocklist_entries", v6, occupancy->blocked_v6);
	gauge(out, "sluice_blocklist_capacity", "Sources of both families that fit there.",
	      occupancy->blocked_capacity);
	gauge(out, "sluice_sources_capacity",
	      "Sources of each family that can be tracked in one window.",
	      occupancy->sources_capacity);
}

static void write_known(FILE *out, const struct snapshot *snapshot)
{
	static const struct metrics_label established[] = { { "how", "established" },
							    { NULL, NULL } };
	static const struct metrics_label spoken[] = { { "how", "spoken_first" }, { NULL, NULL } };
	static const struct metrics_label stack_connected[] = { { "how", "stack_connected" },
								{ NULL, NULL } };
	static const struct metrics_label stack_spoken[] = { { "how", "stack_spoken_first" },
							     { NULL, NULL } };
	static const struct metrics_label tcp[] = { { "protocol", "tcp" }, { NULL, NULL } };
	static const struct metrics_label udp[] = { { "protocol", "udp" }, { NULL, NULL } };
	static const struct metrics_label icmp[] = { { "protocol", "icmp" }, { NULL, NULL } };
	const struct engine_known_count *known = &snapshot->engine.known;

	metrics_text_family(
		out, "sluice_known_clients", "gauge",
		"Known clients by how they became known; some are known in more than one.");
	metrics_text_u64(out, "sluice_known_clients", established, known->established);
	metrics_text_u64(out, "sluice_known_clients", spoken, known->spoken_first);
	metrics_text_u64(out, "sluice_known_clients", stack_connected, known->told_connected);
	metrics_text_u64(out, "sluice_known_clients", stack_spoken, known->told_spoken_first);
	gauge(out, "sluice_known_clients_in_filter", "Known clients that the filter spares.",
	      snapshot->occupancy.known);
	metrics_text_family(out, "sluice_first_words_total", "counter",
			    "Connections and requests that this server began, seen at tc.");
	metrics_text_u64(out, "sluice_first_words_total", tcp, snapshot->egress_counts.tcp);
	metrics_text_u64(out, "sluice_first_words_total", udp, snapshot->egress_counts.udp);
	metrics_text_u64(out, "sluice_first_words_total", icmp, snapshot->egress_counts.icmp);
	counter(out, "sluice_first_words_refused_total",
		"First words to hosts for which there was no room.",
		snapshot->egress_counts.refused);
}

static void write_blocks(FILE *out, const struct snapshot *snapshot)
{
	const struct engine_status *engine = &snapshot->engine;

	gauge(out, "sluice_blocked_sources", "Sources blocked now, by hand or by detectors.",
	      engine->blocked);
	gauge(out, "sluice_blocked_manual_sources", "Of these, blocked by hand.",
	      engine->blocked_manual);
	gauge(out, "sluice_blocked_prefixes", "Prefixes blocked now.", engine->blocked_prefixes);
	gauge(out, "sluice_offloaded_sources", "Blocked sources that are in the NIC's table too.",
	      engine->offloaded);
	counter(out, "sluice_blocks_total", "Sources blocked since start.", engine->blocks_total);
	counter(out, "sluice_releases_total", "Sources released since start.",
		engine->released_total);
	counter(out, "sluice_blocks_refused_total",
		"Blocks refused because a limit or a table was full.", engine->refused_total);
	gauge(out, "sluice_automatic_rules", "Rules that detectors had enforced, now.",
	      engine->rules);
	counter(out, "sluice_rules_enforced_total", "Automatic rules enforced since start.",
		engine->rules_enforced_total);
	counter(out, "sluice_rules_released_total", "Automatic rules released since start.",
		engine->rules_released_total);
	counter(out, "sluice_rules_refused_total",
		"Automatic rules refused because a limit was reached.",
		engine->rules_refused_total);
	gauge(out, "sluice_spoofed", "1 while sources are many and new, as forged ones are.",
	      engine->spoofed);
	metrics_text_family(out, "sluice_proposals_not_enforced_total", "counter",
			    "Proposals of detectors that were not enforced, by why.");
	metrics_text_u64(out, "sluice_proposals_not_enforced_total",
			 (const struct metrics_label[]){ { "why", "known" }, { NULL, NULL } },
			 engine->protected_known);
	metrics_text_u64(out, "sluice_proposals_not_enforced_total",
			 (const struct metrics_label[]){ { "why", "allow" }, { NULL, NULL } },
			 engine->protected_allow);
	metrics_text_u64(out, "sluice_proposals_not_enforced_total",
			 (const struct metrics_label[]){ { "why", "observe" }, { NULL, NULL } },
			 engine->would_block);
	metrics_text_u64(out, "sluice_proposals_not_enforced_total",
			 (const struct metrics_label[]){ { "why", "spoofed" }, { NULL, NULL } },
			 engine->refused_spoofed);
	metrics_text_u64(out, "sluice_proposals_not_enforced_total",
			 (const struct metrics_label[]){ { "why", "outvoted" }, { NULL, NULL } },
			 engine->outvoted);
}

/* One family over all detectors. */
static void write_detector_family(FILE *out, const struct snapshot *snapshot, const char *name,
				  const char *type, const char *help,
				  double (*value)(const struct engine_detector_status *))
{
	metrics_text_family(out, name, type, help);
	for (size_t i = 0; i < snapshot->n_detectors; i++) {
		const struct metrics_label labels[] = { { "detector", snapshot->detectors[i].name },
							{ NULL, NULL } };

		metrics_text_double(out, name, labels, value(&snapshot->detectors[i].status));
	}
}

static double detector_attack(const struct engine_detector_status *detector)
{
	return detector->verdict.attack;
}

static double detector_score(const struct engine_detector_status *detector)
{
	return detector->verdict.score;
}

static double detector_disabled(const struct engine_detector_status *detector)
{
	return detector->disabled;
}

static double detector_proposals(const struct engine_detector_status *detector)
{
	return (double)detector->proposals;
}

static double detector_failures(const struct engine_detector_status *detector)
{
	return (double)detector->failures;
}

static double detector_seconds(const struct engine_detector_status *detector)
{
	return (double)detector->last_ns / 1e9;
}

static void write_detectors(FILE *out, const struct snapshot *snapshot)
{
	write_detector_family(out, snapshot, "sluice_detector_attack", "gauge",
			      "1 if the detector called the last window an attack.",
			      detector_attack);
	write_detector_family(out, snapshot, "sluice_detector_score", "gauge",
			      "0 is peace, 1 the limit, more is beyond it.", detector_score);
	write_detector_family(out, snapshot, "sluice_detector_disabled", "gauge",
			      "1 if the detector failed too often and was switched off.",
			      detector_disabled);
	write_detector_family(out, snapshot, "sluice_detector_proposals_total", "counter",
			      "Sources that the detector proposed to block.", detector_proposals);
	write_detector_family(out, snapshot, "sluice_detector_failures_total", "counter",
			      "Windows that the detector could not judge.", detector_failures);
	write_detector_family(out, snapshot, "sluice_detector_seconds", "gauge",
			      "Time that the detector took for the last window.", detector_seconds);
}

static void write_offload(FILE *out, const struct snapshot *snapshot)
{
	const struct offload_status *offload = &snapshot->offload;
	const struct metrics_label info[] = {
		{ "backend", offload->backend },
		{ "driver", offload->driver },
		{ "emulated", offload->emulated ? "true" : "false" },
		{ "counters", offload->counters ? "true" : "false" },
		{ NULL, NULL },
	};

	if (!snapshot->has_offload)
		return;
	metrics_text_family(out, "sluice_offload_info", "gauge", "Always 1; the labels tell.");
	metrics_text_u64(out, "sluice_offload_info", info, 1);
	gauge(out, "sluice_offload_healthy", "1 while the NIC's back end answers.",
	      offload->healthy);
	gauge(out, "sluice_offload_entries", "Rules in the NIC's table.", offload->used);
	gauge(out, "sluice_offload_capacity", "Rules that fit into the NIC's table.",
	      offload->capacity);
	gauge(out, "sluice_offload_probation",
	      "Entries out of the NIC's table for a window, to be counted by the filter.",
	      offload->probation);
	counter(out, "sluice_offload_adds_total", "Rules added to the NIC's table.", offload->adds);
	counter(out, "sluice_offload_dels_total", "Rules removed from the NIC's table.",
		offload->dels);
	counter(out, "sluice_offload_refused_total", "Rules that the NIC refused.",
		offload->refused);
	counter(out, "sluice_offload_failures_total", "Calls to the NIC that failed.",
		offload->failures);
	metrics_text_family(out, "sluice_offload_threshold", "gauge",
			    "Gain that a swap of two rules must reach.");
	metrics_text_double(out, "sluice_offload_threshold", NULL, offload->threshold);
	metrics_text_family(out, "sluice_offload_update_seconds", "gauge",
			    "Cost of one rule update as measured.");
	metrics_text_seconds(out, "sluice_offload_update_seconds",
			     (const struct metrics_label[]){ { "quantile", "0.5" },
							     { NULL, NULL } },
			     offload->update_p50_ns);
	metrics_text_seconds(out, "sluice_offload_update_seconds",
			     (const struct metrics_label[]){ { "quantile", "0.99" },
							     { NULL, NULL } },
			     offload->update_p99_ns);
}

static void write_events(FILE *out, const struct snapshot *snapshot)
{
	metrics_text_family(out, "sluice_events_total", "counter", "Events by kind.");
	for (int i = 0; i < EVENT_N_KINDS; i++) {
		const struct metrics_label labels[] = {
			{ "kind", event_kind_name((enum event_kind)i) }, { NULL, NULL }
		};

		metrics_text_u64(out, "sluice_events_total", labels, snapshot->events.by_kind[i]);
	}
	counter(out, "sluice_events_overwritten_total",
		"Events that are no longer kept because newer ones came.",
		snapshot->events.overwritten);
}

void exposition_write(const struct snapshot *snapshot, FILE *out)
{
	write_general(out, snapshot);
	write_packets(out, snapshot);
	write_rules(out, snapshot);
	write_window(out, snapshot);
	write_features(out, snapshot);
	write_deliver(out, snapshot);
	write_stacks(out, snapshot);
	write_table(out, snapshot);
	write_known(out, snapshot);
	write_blocks(out, snapshot);
	write_detectors(out, snapshot);
	write_offload(out, snapshot);
	write_events(out, snapshot);
}
