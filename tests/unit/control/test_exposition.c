/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot as metrics and as the status document. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "sluiced/exposition.h"
#include "sluiced/snapshot.h"
#include "sluiced/status.h"

#include "prometheus.h"

static void fill(struct snapshot *snapshot)
{
	static const struct engine_detector_status detectors[] = {
		{ .name = "threshold",
		  .enforce = true,
		  .proposals = 9,
		  .verdict = { .attack = true, .score = 12.5, .evidence = "2 \xff Mpps" } },
		{ .name = "entropy", .disabled = true, .verdict = { .score = INFINITY } },
	};
	const struct engine_status engine = {
		.windows = 60,
		.window_ns = 1000000000,
		.stage_ns = { [ENGINE_STAGE_SWAP] = 150000 },
		.stage_max_ns = { [ENGINE_STAGE_SWAP] = 2500000 },
		.total_ns = 12000000,
		.enforce = true,
		.attack = true,
		.attacks = 1,
		.attack_started_realtime_ns = 1700000000000000000ull,
		.window = { .length_ns = 500000000,
			    .offered_packets = 1000000,
			    .hw_packets = 10,
			    .n_sources = 4000,
			    .distinct_sources = 50000,
			    .distinct_error = 0.016 },
		.untracked_total = 700,
		.samples_total = 90,
		.samples_lost_total = 3,
		.blocked = 10000,
		.offloaded = 1000,
		.protected_known = 64,
		.detectors = detectors,
		.n_detectors = 2,
	};
	struct dataplane_counters before = { .reason = { { 0, 0 } } }, counters = before;

	counters.reason[DATAPLANE_REASON_BLOCKED].packets = 2000000;
	counters.reason[DATAPLANE_REASON_BLOCKED].bytes = 128000000;
	before.reason[DATAPLANE_REASON_BLOCKED].packets = 1000000;
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot_set_engine(snapshot, &engine);
	snapshot_set_counters(snapshot, &counters, &before, 500000000);
	snapshot->has_offload = true;
	snapshot->offload = (struct offload_status){ .backend = "emu",
						     .driver = "veth",
						     .emulated = true,
						     .healthy = true,
						     .capacity = 1024,
						     .used = 1000,
						     .adds = 1500,
						     .dels = 500,
						     .failures = 2,
						     .last_error = "bad \x1b bytes" };
	snapshot->occupancy = (struct dataplane_occupancy){ .blocked_v4 = 9990,
							    .blocked_v6 = 10,
							    .blocked_capacity = 1000000 };
	snapshot->features.loaded = DATAPLANE_FEATURE_SAMPLE;
	snapshot->n_interfaces = 1;
	snapshot->interfaces[0] = (struct snapshot_interface){ .name = "eth0", .mode = "native" };
	snapshot->n_rules = 2;
	snapshot->rules[0] = (struct snapshot_rule){ .name = "ntp",
						     .origin = "config",
						     .action = "drop",
						     .matched = { 50, 5000 },
						     .dropped = { 49, 4900 } };
	snapshot->rules[1] = (struct snapshot_rule){
		.name = "a\\\"b\nc", .origin = "entropy", .action = "limit", .matched = { 7, 700 }
	};
	snapshot->n_stacks = 3;
	snapshot->stacks[0] = (struct stack_door_client){ .ifname = "eth0",
							  .queue = 3,
							  .pid = 9,
							  .ready = true,
							  .reported = true,
							  .mode = SLUICE_IO_COPY,
							  .n_frames = 1024,
							  .counts = { .received = 500,
								      .dropped = 11,
								      .receive_stack = 12,
								      .send_written = 13 } };
	snapshot->stacks[1] = (struct stack_door_client){ .ifname = "eth0", .queue = 4, .pid = 10 };
	snapshot->stacks[2] = snapshot->stacks[0];
	memcpy(snapshot->stacks[2].ifname, "eth1", 5);
	snapshot->stacks[2].counts.received = 501;
	snapshot->events = (struct event_log_stats){ .total = 5000, .overwritten = 904 };
}

static char *expose(const struct snapshot *snapshot)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	exposition_write(snapshot, out);
	fclose(out);
	return text;
}

Test(exposition, is_well_formed)
{
	static struct snapshot snapshot;
	char why[256] = "", *text;
	size_t line;

	fill(&snapshot);
	text = expose(&snapshot);
	line = prometheus_check(text, why, sizeof(why));
	cr_assert_eq(line, 0, "line %zu: %s", line, why);
	free(text);
	memset(&snapshot, 0, sizeof(snapshot));
	text = expose(&snapshot);
	line = prometheus_check(text, why, sizeof(why));
	cr_assert_eq(line, 0, "line %zu of an empty one: %s", line, why);
	free(text);
}

Test(exposition, has_the_figures)
{
	static const struct {
		const char *name;
		double value;
	} cases[] = {
		{ "sluice_packets_total{reason=\"blocked\"}", 2000000 },
		{ "sluice_bytes_total{reason=\"blocked\"}", 128000000 },
		{ "sluice_packets_total{reason=\"pass\"}", 0 },
		{ "sluice_rule_packets_total{rule=\"ntp\",action=\"drop\",origin=\"config\"}", 50 },
		{ "sluice_rule_bytes_total{rule=\"ntp\",action=\"drop\",origin=\"config\"}", 5000 },
		{ "sluice_rule_dropped_packets_total{rule=\"ntp\",action=\"drop\",origin=\"config\"}",
		  49 },
		{ "sluice_rule_dropped_bytes_total{rule=\"ntp\",action=\"drop\",origin=\"config\"}",
		  4900 },
		{ "sluice_rule_packets_total{rule=\"a\\\\\\\"b\\nc\",action=\"limit\",origin=\"entropy\"}",
		  7 },
		{ "sluice_stack_received_packets_total{interface=\"eth0\",queue=\"3\"}", 500 },
		{ "sluice_stack_received_packets_total{interface=\"eth1\",queue=\"3\"}", 501 },
		{ "sluice_stack_dropped_packets_total{interface=\"eth0\",queue=\"3\"}", 11 },
		{ "sluice_stack_frames{interface=\"eth0\",queue=\"3\",half=\"receive\",owner=\"stack\"}",
		  12 },
		{ "sluice_stack_frames{interface=\"eth1\",queue=\"3\",half=\"send\",owner=\"stack\"}",
		  13 },
		{ "sluice_window_stage_seconds{stage=\"swap\"}", 0.00015 },
		{ "sluice_window_stage_max_seconds{stage=\"swap\"}", 0.0025 },
		{ "sluice_blocked_sources", 10000 },
		{ "sluice_offloaded_sources", 1000 },
		{ "sluice_blocklist_entries{family=\"ipv4\"}", 9990 },
		{ "sluice_blocklist_capacity", 1000000 },
		{ "sluice_detector_score{detector=\"threshold\"}", 12.5 },
		{ "sluice_detector_attack{detector=\"threshold\"}", 1 },
		{ "sluice_detector_disabled{detector=\"entropy\"}", 1 },
		{ "sluice_proposals_not_enforced_total{why=\"known\"}", 64 },
		{ "sluice_offload_entries", 1000 },
		{ "sluice_offload_capacity", 1024 },
		{ "sluice_offload_adds_total", 1500 },
		{ "sluice_offload_dels_total", 500 },
		{ "sluice_offload_failures_total", 2 },
		{ "sluice_feature_loaded{feature=\"source\"}", 1 },
		{ "sluice_feature_loaded{feature=\"sample\"}", 1 },
		{ "sluice_feature_loaded{feature=\"flow\"}", 0 },
		{ "sluice_window_sources", 4000 },
		{ "sluice_window_distinct_sources", 50000 },
		{ "sluice_window_distinct_error", 0.016 },
		{ "sluice_untracked_packets_total{feature=\"source\"}", 700 },
		{ "sluice_samples_total", 90 },
		{ "sluice_samples_lost_total", 3 },
		{ "sluice_attack", 1 },
		{ "sluice_attacks_total", 1 },
		{ "sluice_events_overwritten_total", 904 },
		{ "sluice_interface_protected{interface=\"eth0\",mode=\"native\"}", 1 },
	};
	static struct snapshot snapshot;
	char *text;

	fill(&snapshot);
	text = expose(&snapshot);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = prometheus_value(text, cases[i].name);

		cr_assert(fabs(value - cases[i].value) < 1e-9, "%s: %g", cases[i].name, value);
	}
	free(text);
}

Test(exposition, names_every_reason)
{
	static struct snapshot snapshot;
	char *text;

	fill(&snapshot);
	text = expose(&snapshot);
	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		char label[80];

		snprintf(label, sizeof(label), "sluice_packets_total{reason=\"%s\"}",
			 dataplane_reason_name((enum dataplane_reason)i));
		cr_assert_not_null(strstr(text, label), "%s", label);
	}
	free(text);
}

static const json_t *get(const json_t *json, const char *a, const char *b, const char *c)
{
	json = json_object_get(json, a);
	if (b)
		json = json_object_get(json, b);
	return c ? json_object_get(json, c) : json;
}

Test(status, document_has_what_operators_need)
{
	const struct status_context context = { .config = "/etc/sluice/sluice.yaml", .pid = 7 };
	static struct snapshot snapshot;
	const json_t *detector, *stack;
	json_t *json;
	char *text;

	fill(&snapshot);
	json = status_json(&snapshot, &context);
	cr_assert_not_null(json);
	cr_assert_eq(json_integer_value(get(json, "blocked", "total", NULL)), 10000);
	cr_assert_eq(json_integer_value(get(json, "blocked", "by_state", "offloaded")), 1000);
	cr_assert_eq(json_integer_value(get(json, "blocked", "by_state", "blocked")), 9000);
	cr_assert_eq(json_integer_value(get(json, "blocked", "not_enforced", "known")), 64);
	cr_assert_eq(json_integer_value(get(json, "drops", "blocked", "packets")), 2000000);
	cr_assert_eq(json_integer_value(get(json, "drops", "blocked", "pps")), 2000000);
	cr_assert_null(get(json, "drops", "pass", NULL));
	cr_assert_not_null(get(json, "passes", "pass", NULL));
	cr_assert_eq(json_integer_value(get(json, "offload", "entries", NULL)), 1000);
	cr_assert(json_is_true(get(json, "offload", "emulated", NULL)));
	cr_assert_str_eq(json_string_value(get(json, "offload", "driver", NULL)), "veth");
	cr_assert_eq(
		json_integer_value(
			get(json, "window", "stages", "swap")
				? json_object_get(get(json, "window", "stages", "swap"), "last_ns")
				: NULL),
		150000);
	cr_assert_eq(json_integer_value(get(json, "traffic", "offered_pps", NULL)), 2000000);
	cr_assert_eq(json_integer_value(get(json, "features", "sources", "distinct")), 50000);
	cr_assert_eq(json_integer_value(get(json, "features", "sources", "tracked")), 4000);
	cr_assert_float_eq(json_real_value(get(json, "features", "sources", "error")), 0.016, 1e-9);
	cr_assert_eq(json_integer_value(get(json, "features", "samples_total", NULL)), 90);
	cr_assert_eq(json_array_size(get(json, "features", "loaded", NULL)), 2);
	cr_assert_str_eq(
		json_string_value(json_array_get(get(json, "features", "loaded", NULL), 1)),
		"sample");
	cr_assert(json_is_true(get(json, "attack", "active", NULL)));
	cr_assert_str_eq(json_string_value(get(json, "attack", "started", NULL)),
			 "2023-11-14T22:13:20Z");
	detector = json_array_get(json_object_get(json, "detectors"), 0);
	cr_assert_str_eq(json_string_value(json_object_get(detector, "name")), "threshold");
	cr_assert_str_eq(json_string_value(json_object_get(detector, "evidence")), "2 ? Mpps");
	cr_assert_eq(json_array_size(json_object_get(json, "detectors")), 2);
	stack = json_array_get(json_object_get(json, "stacks"), 0);
	cr_assert_str_eq(json_string_value(json_object_get(stack, "mode")), "copy");
	cr_assert_eq(json_integer_value(get(stack, "counts", "dropped", NULL)), 11);
	cr_assert_eq(json_integer_value(
			     json_object_get(get(stack, "counts", "frames", "send"), "written")),
		     13);
	stack = json_array_get(json_object_get(json, "stacks"), 1);
	cr_assert(json_is_null(json_object_get(stack, "counts")), "it has not said anything yet");
	text = json_dumps(json, JSON_COMPACT);
	cr_assert_not_null(text, "infinite scores and strange bytes do not spoil it");
	free(text);
	json_decref(json);
}

Test(status, an_empty_snapshot_is_a_document_too)
{
	const struct status_context context = { .config = "x", .pid = 7 };
	static struct snapshot snapshot;
	json_t *json = status_json(&snapshot, &context);

	cr_assert_not_null(json);
	cr_assert(json_is_false(get(json, "offload", "enabled", NULL)));
	cr_assert(json_is_null(get(json, "attack", "started", NULL)));
	json_decref(json);
}

Test(status, explanation)
{
	const struct engine_explanation explanation = {
		.key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32, .addr = { 192, 0, 2, 7 } },
		.state = ENGINE_STATE_OFFLOADED,
		.dropped = true,
		.detector = "entropy",
		.pps = 210,
		.hw_age_ns = UINT64_MAX,
		.release = "5 quiet windows",
	};
	json_t *json = status_explanation_json(&explanation);

	cr_assert_str_eq(json_string_value(json_object_get(json, "source")), "192.0.2.7");
	cr_assert_str_eq(json_string_value(json_object_get(json, "verdict")), "dropped");
	cr_assert_str_eq(json_string_value(json_object_get(json, "state")), "offloaded");
	cr_assert_eq(json_integer_value(json_object_get(json, "pps")), 210);
	cr_assert(json_is_null(json_object_get(json, "hw_age_ns")), "an unknown age is null");
	cr_assert_str_eq(json_string_value(json_object_get(json, "release")), "5 quiet windows");
	json_decref(json);
}

Test(snapshot, rates)
{
	struct dataplane_counters before = { .reason = { { 0, 0 } } }, now = before;
	static struct snapshot snapshot;

	now.reason[0].packets = 500;
	before.reason[1].packets = 9;
	snapshot_set_counters(&snapshot, &now, &before, 250000000);
	cr_assert_eq(snapshot.pps[0], 2000);
	cr_assert_eq(snapshot.pps[1], 0, "counters that went back make no rate");
	snapshot_set_counters(&snapshot, &now, &before, 0);
	cr_assert_eq(snapshot.pps[0], 0, "no rate before the second snapshot");
}

Test(snapshot, keeps_at_most_what_fits)
{
	struct engine_detector_status many[SNAPSHOT_DETECTORS_MAX + 3];
	struct engine_status engine = { .detectors = many,
					.n_detectors = SNAPSHOT_DETECTORS_MAX + 3 };
	static struct snapshot snapshot;

	memset(many, 0, sizeof(many));
	for (size_t i = 0; i < engine.n_detectors; i++)
		many[i].name = "a-detector-with-a-name-that-is-longer-than-the-field-for-it";
	snapshot_set_engine(&snapshot, &engine);
	cr_assert_eq(snapshot.n_detectors, SNAPSHOT_DETECTORS_MAX);
	cr_assert_eq(strlen(snapshot.detectors[0].name), sizeof(snapshot.detectors[0].name) - 1);
	cr_assert_null(snapshot.engine.detectors);
}
