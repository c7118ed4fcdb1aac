/* SPDX-License-Identifier: BSD-2-Clause */
/* When the signature detector says attack, and when it does not. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "attack_record.h"
#include "builtin.h"
#include "level.h"
#include "logic.h"
#include "signature_frames.h"

#define MAX_SAMPLES 400

/* A window of `n` packets, of which the samples are all or the first so many. */
struct scene {
	struct signature_set set;
	struct logic *logic;
	struct sluice_sample samples[MAX_SAMPLES];
	struct sluice_source sources[MAX_SAMPLES];
	struct sluice_window_rule rule;
	struct sluice_window window;
};

static const struct logic_params params = {
	.pps = 500,
	.deviation = 6,
	.growth = 4,
	.min_samples = 8,
	.lag = 5,
	.calm_windows = 10,
};

static struct scene *scene_new(void)
{
	static struct scene scene;
	struct sluice_err err = { 0 };

	memset(&scene, 0, sizeof(scene));
	cr_assert_eq(signature_set_init(&scene.set), 0);
	cr_assert_eq(signature_set_parse(&scene.set, signature_builtin, signature_builtin_size, "b",
					 &err),
		     0);
	cr_assert_eq(logic_new(&params, &scene.set, &scene.logic), 0);
	scene.window = (struct sluice_window){
		.size = sizeof(scene.window),
		.length_ns = 100000000,
		.samples = scene.samples,
		.sample_size = sizeof(scene.samples[0]),
		.sources = scene.sources,
		.source_size = sizeof(scene.sources[0]),
		.rules = &scene.rule,
		.rule_size = sizeof(scene.rule),
	};
	return &scene;
}

static void scene_free(struct scene *scene)
{
	logic_free(scene->logic);
	signature_set_fini(&scene->set);
}

static const struct frame syn = { .protocol = IPPROTO_TCP,
				  .ttl = 60,
				  .tcp_flags = 2,
				  .source_port = 1234,
				  .destination_port = 80 };
static const struct frame good_syn = { .protocol = IPPROTO_TCP,
				       .ttl = 60,
				       .tcp_flags = 2,
				       .source_port = 1234,
				       .destination_port = 80,
				       .tcp_options = 20 };
static const struct frame syn_ack = { .protocol = IPPROTO_TCP,
				      .ttl = 60,
				      .tcp_flags = 0x12,
				      .source_port = 443,
				      .destination_port = 5000,
				      .tcp_options = 4 };
static const struct frame snmp = { .protocol = IPPROTO_UDP,
				   .ttl = 50,
				   .source_port = 161,
				   .destination_port = 3000,
				   .payload = "0.......",
				   .payload_size = 8 };

/* `n_attack` packets like `attack` and `n_peace` like a client's SYN, each of another source. */
static void observe(struct scene *scene, const struct frame *attack, unsigned int n_attack,
		    unsigned int n_peace)
{
	unsigned int n = n_attack + n_peace;

	cr_assert_leq(n, MAX_SAMPLES);
	for (unsigned int i = 0; i < n; i++) {
		struct frame frame = i < n_attack && attack ? *attack : good_syn;

		frame.source = i;
		frame_sample(&frame, &scene->samples[i]);
		scene->sources[i].key =
			(struct sluice_key){ .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };
		memcpy(scene->sources[i].key.addr, scene->samples[i].data + 26, 4);
	}
	scene->window.n_samples = scene->window.n_sources = n;
	scene->window.passed_packets = n;
	scene->window.sequence++;
	cr_assert_eq(logic_observe(scene->logic, &scene->window), 0);
}

static const struct logic_finding *of(const struct scene *scene, const char *name)
{
	for (size_t i = 0; i < scene->set.n; i++)
		if (strcmp(scene->set.list[i].name, name) == 0)
			return logic_finding(scene->logic, i);
	cr_assert_fail("no signature %s", name);
	return NULL;
}

static unsigned int n_active(const struct scene *scene)
{
	unsigned int n = 0;

	for (size_t i = 0; i < scene->set.n; i++)
		n += logic_finding(scene->logic, i)->active;
	return n;
}

Test(signature_logic, one_window_of_a_flood_is_enough)
{
	static const struct {
		const struct frame *frame;
		const char *name;
	} rows[] = {
		{ &syn, "syn_no_options" },
		{ &syn_ack, "syn_ack_reflection" },
		{ &snmp, "snmp_reflection" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene *scene = scene_new();

		for (int n = 0; n < 20; n++)
			observe(scene, NULL, 0, 50);
		cr_expect_eq(n_active(scene), 0);
		observe(scene, rows[i].frame, 100, 50);
		cr_expect(of(scene, rows[i].name)->active, "%s", rows[i].name);
		cr_expect_eq(n_active(scene), 1);
		cr_expect_float_eq(of(scene, rows[i].name)->pps, 1000, 1);
		scene_free(scene);
	}
}

Test(signature_logic, clients_connections_are_no_attack)
{
	struct scene *scene = scene_new();

	for (int n = 0; n < 100; n++)
		observe(scene, NULL, 0, 400);
	cr_expect_eq(n_active(scene), 0);
	scene_free(scene);
}

Test(signature_logic, a_few_samples_prove_nothing)
{
	struct scene *scene = scene_new();

	observe(scene, &snmp, 7, 0);
	scene->window.passed_packets = 100000;
	cr_assert_eq(logic_observe(scene->logic, &scene->window), 0);
	cr_expect_eq(n_active(scene), 0);
	observe(scene, &snmp, 8, 0);
	scene->window.passed_packets = 100000;
	cr_assert_eq(logic_observe(scene->logic, &scene->window), 0);
	cr_expect(of(scene, "snmp_reflection")->active);
	scene_free(scene);
}

/* Answers of servers that this host asked. */
Test(signature_logic, known_sources_are_left_out)
{
	struct scene *scene = scene_new();

	observe(scene, &syn_ack, 300, 20);
	cr_assert(of(scene, "syn_ack_reflection")->active);
	scene_free(scene);
	scene = scene_new();
	for (int i = 0; i < MAX_SAMPLES; i++)
		scene->sources[i].flags = SLUICE_SOURCE_KNOWN;
	observe(scene, &syn_ack, 300, 20);
	cr_expect_eq(of(scene, "syn_ack_reflection")->samples, 0);
	cr_expect_eq(n_active(scene), 0);
	/* All but thirty. */
	for (int i = 0; i < 30; i++)
		scene->sources[i].flags = 0;
	observe(scene, &syn_ack, 300, 20);
	cr_expect_eq(of(scene, "syn_ack_reflection")->samples, 30);
	scene_free(scene);
}

/* What the rule drops is in no sample any more, but it was offered. */
Test(signature_logic, goes_on_while_its_rule_drops)
{
	struct scene *scene = scene_new();

	observe(scene, &syn, 100, 50);
	cr_assert(of(scene, "syn_no_options")->active);
	strcpy(scene->rule.reason, "syn_no_options");
	scene->rule.dropped_packets = 100;
	scene->window.n_rules = 1;
	for (int n = 0; n < 100; n++) {
		observe(scene, NULL, 0, 50);
		cr_assert(of(scene, "syn_no_options")->active, "window %d", n);
	}
	scene->rule.dropped_packets = 0;
	for (unsigned int n = 0; n < params.calm_windows - 1; n++)
		observe(scene, NULL, 0, 50);
	cr_expect(of(scene, "syn_no_options")->active);
	observe(scene, NULL, 0, 50);
	cr_expect_not(of(scene, "syn_no_options")->active);
	scene_free(scene);
}

/* A gateway to devices that are asked by SNMP all day: what it is used to is no attack. */
Test(signature_logic, learns_what_is_usual)
{
	struct scene *scene = scene_new();

	/* 250 a second, below the 300 that are an attack. */
	for (int n = 0; n < 3000; n++)
		observe(scene, &snmp, 25, 50);
	cr_expect_eq(n_active(scene), 0);
	observe(scene, &snmp, 80, 50);
	cr_expect_not(of(scene, "snmp_reflection")->active, "limit %f",
		      of(scene, "snmp_reflection")->limit);
	observe(scene, &snmp, 200, 50);
	cr_expect(of(scene, "snmp_reflection")->active);
	scene_free(scene);
}

Test(signature_logic, an_attack_is_not_learned)
{
	struct scene *scene = scene_new();
	double limit;

	for (int n = 0; n < 100; n++)
		observe(scene, NULL, 0, 50);
	limit = of(scene, "snmp_reflection")->limit;
	/* First part of a window only, then in full. */
	observe(scene, &snmp, 20, 50);
	for (int n = 0; n < 2000; n++)
		observe(scene, &snmp, 100, 50);
	cr_expect(of(scene, "snmp_reflection")->active);
	cr_expect_float_eq(of(scene, "snmp_reflection")->limit, limit, 1e-9);
	scene_free(scene);
}

Test(signature_level, a_jump_discards_what_waits)
{
	struct level level = { 0 };

	for (int i = 0; i < 10000; i++)
		level_offer(&level, 100, 10, 0.1, 5);
	cr_expect_float_eq(level.mean, 100, 1);
	cr_expect_lt(level_deviation(&level), 10);
	/* Onset, then an attack that somebody noticed at once. */
	for (int i = 0; i < 1000; i++) {
		level_offer(&level, 1000, 10, 0.1, 5);
		level_freeze(&level);
	}
	cr_expect_float_eq(level.mean, 100, 1);
	/* A new level that nobody calls an attack is learned in the end. */
	for (int i = 0; i < 10000; i++)
		level_offer(&level, 180, 10, 0.1, 5);
	cr_expect_float_eq(level.mean, 180, 1);
}

Test(signature_level, survives_any_lag_and_rate)
{
	struct level level = { 0 };

	for (uint32_t i = 0; i < 10000; i++)
		level_offer(&level, (double)(i * 2654435761u), 1, 0.01 * (i % 400), i % 100);
	cr_expect_leq(level.lag.n, LEVEL_LAG_MAX);
	cr_expect(level.variance >= 0);
}

/* What is written of an attack makes a signature that fits the same attack. */
Test(signature_record, a_fingerprint_can_be_taken_back)
{
	struct attack_record *record;
	static const char *const names[] = { "snmp_reflection", "syn_no_options" };
	struct signature_set set;
	struct sluice_err err = { 0 };
	size_t left_out;
	char *text;

	cr_assert_eq(attack_record_new(&record), 0);
	cr_expect(attack_record_is_empty(record));
	for (uint32_t i = 0; i < 30000; i++) {
		struct frame frame = i % 3 ? snmp : syn;
		struct sluice_sample sample;
		struct packet packet;

		frame.source = i;
		frame.source_port = i % 3 ? 161 : (uint16_t)i;
		frame.destination_port = i % 3 ? (uint16_t)i : 80;
		frame_sample(&frame, &sample);
		cr_assert(packet_parse(&sample, &packet));
		attack_record_time(record, 1700000000 + i / 1000);
		attack_record_add(record, i % 3 == 0, &packet, sample.frame_size, 10);
	}
	attack_record_dropped(record, 0, 1000000, 60000000);
	text = attack_record_fingerprint(record, names, 2);
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, "\"total_packets\": 1300000"), "%.300s", text);
	cr_expect_not_null(strstr(text, "\"total_ips\": 10000"));
	cr_expect_not_null(strstr(text, "\"......S.\": 1.0"));
	cr_expect_not_null(strstr(text, "\"target\": \"192.0.2.1\""));
	cr_expect_not_null(strstr(text, "2023-11-14T22:13:20+00:00"));
	cr_assert_eq(signature_set_init(&set), 0);
	cr_assert_eq(signature_set_import(&set, text, strlen(text), "f.json", &left_out, &err), 0,
		     "%s", err.text);
	cr_assert_eq(set.n, 2);
	for (uint32_t i = 0; i < 2; i++) {
		struct sluice_sample sample;
		struct packet packet;

		frame_sample(i ? &syn : &snmp, &sample);
		cr_assert(packet_parse(&sample, &packet));
		cr_expect(packet_matches(&packet, &set.list[i].match), "%s", set.list[i].name);
		cr_expect_not(packet_matches(&packet, &set.list[!i].match));
	}
	free(text);
	signature_set_fini(&set);
	attack_record_free(record);
}
