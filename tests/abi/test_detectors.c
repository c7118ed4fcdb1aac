/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in detectors as the daemon meets them: opened from the build's plugin folder, with the
 * defaults of their manifests, in front of a flood.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/errors.h"
#include "config/node.h"
#include "plugin/plugin.h"

#define N_SOURCES 2000u

struct bench {
	struct plugin *plugin;
	struct sluice_instance *instance;
	size_t proposals, rules;
	struct sluice_proposal last;
	struct sluice_rule_match last_match;
	char reason[24], evidence[192];
};

static int take(void *ctx, struct sluice_instance *instance, const struct sluice_proposal *proposal)
{
	struct bench *bench = ctx;

	(void)instance;
	bench->proposals++;
	bench->last = *proposal;
	snprintf(bench->reason, sizeof(bench->reason), "%s", proposal->reason);
	snprintf(bench->evidence, sizeof(bench->evidence), "%s", proposal->evidence);
	return 0;
}

static int take_rule(void *ctx, struct sluice_instance *instance,
		     const struct sluice_rule_proposal *proposal)
{
	struct bench *bench = ctx;

	(void)instance;
	bench->rules++;
	bench->last_match = *proposal->match;
	snprintf(bench->reason, sizeof(bench->reason), "%s", proposal->reason);
	snprintf(bench->evidence, sizeof(bench->evidence), "%s", proposal->evidence);
	return 0;
}

static void bench_open(struct bench *bench, const char *name, const struct config_node *options)
{
	struct plugin_use use = {
		.options = options,
		.key = "detectors[0].options",
		.clock = &clock_system,
		.propose = take,
		.propose_rule = take_rule,
		.propose_ctx = bench,
	};
	struct sluice_err err;

	memset(bench, 0, sizeof(*bench));
	cr_assert_eq(plugin_open(PLUGINS, name, SLUICE_PLUGIN_DETECTOR, NULL, &bench->plugin, &err),
		     0, "%s", err.text);
	cr_assert_eq(plugin_detector_new(bench->plugin, &use, NULL, &bench->instance, &err), 0,
		     "%s", err.text);
}

static void bench_close(struct bench *bench)
{
	plugin_instance_free(bench->instance);
	plugin_close(bench->plugin);
}

static void observe(struct bench *bench, uint64_t packets_each, struct sluice_verdict *verdict)
{
	static struct sluice_source sources[N_SOURCES];
	struct sluice_window window = {
		.size = sizeof(window),
		.sequence = 1,
		.length_ns = 500000000,
		.sources = sources,
		.n_sources = N_SOURCES,
		.source_size = sizeof(sources[0]),
		.blocked_size = sizeof(struct sluice_blocked_source),
	};

	for (uint32_t i = 0; i < N_SOURCES; i++)
		sources[i] = (struct sluice_source){
			.key = { .family = 4,
				 .prefix_len = 32,
				 .addr = { 198, 18, (uint8_t)(i >> 8), (uint8_t)i } },
			.packets = packets_each,
			.bytes = 60 * packets_each,
			.udp = (uint32_t)packets_each,
		};
	*verdict = (struct sluice_verdict){ .size = sizeof(*verdict) };
	bench->proposals = 0;
	cr_assert_eq(plugin_detector_ops(bench->plugin)
			     ->observe(plugin_instance_self(bench->instance), &window, verdict),
		     0);
	printf("%s: %s | %s\n", plugin_name(bench->plugin), verdict->evidence, bench->evidence);
}

Test(detectors, threshold)
{
	struct sluice_verdict verdict;
	struct bench bench;

	bench_open(&bench, "threshold", NULL);
	observe(&bench, 9000, &verdict);
	cr_expect_not(verdict.attack);
	cr_expect_float_eq(verdict.score, 0.9, 1e-9);
	cr_expect_eq(bench.proposals, 0);
	observe(&bench, 11000, &verdict);
	cr_expect(verdict.attack);
	cr_expect_eq(bench.proposals, N_SOURCES);
	cr_expect_eq(bench.last.packets_per_second, 22000);
	cr_expect_str_eq(bench.reason, "source_rate");
	cr_expect_str_eq(bench.evidence, "22000 packets/s, limit 20000");
	bench_close(&bench);
}

Test(detectors, entropy)
{
	struct sluice_verdict verdict;
	struct bench bench;

	bench_open(&bench, "entropy", NULL);
	observe(&bench, 3, &verdict);
	cr_expect_not(verdict.attack);
	cr_expect_eq(bench.proposals, 0);
	observe(&bench, 100, &verdict);
	cr_expect(verdict.attack);
	cr_expect_eq(bench.proposals, N_SOURCES);
	cr_expect_eq(bench.last.packets_per_second, 200);
	cr_expect_str_eq(bench.reason, "entropy_many_sources");
	cr_expect_str_eq(bench.evidence,
			 "200 UDP/s; flood of 400000/s, 2000 strangers, entropy 1.00");
	bench_close(&bench);
}

/* Answers of SNMP, as a reflector sends them. */
Test(detectors, signature)
{
	static const uint8_t head[] = { 2,    0, 0, 0,	0, 1, 2, 0, 0,	0,  0, 2, 8,  0,
					0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1 };
	static struct sluice_sample samples[100];
	struct sluice_verdict verdict = { .size = sizeof(verdict) };
	struct sluice_window window = {
		.size = sizeof(window),
		.length_ns = 100000000,
		.samples = samples,
		.n_samples = 100,
		.sample_size = sizeof(samples[0]),
		.passed_packets = 1000,
	};
	struct bench bench;

	for (uint8_t i = 0; i < 100; i++) {
		samples[i].size = samples[i].frame_size = 60;
		memcpy(samples[i].data, head, sizeof(head));
		samples[i].data[28] = i;
		/* Half of them from port 161. */
		samples[i].data[35] = i % 2 ? 161 : 53;
	}
	bench_open(&bench, "signature", NULL);
	cr_assert_eq(plugin_detector_ops(bench.plugin)
			     ->observe(plugin_instance_self(bench.instance), &window, &verdict),
		     0);
	cr_expect(verdict.attack);
	cr_expect_eq(bench.proposals, 0);
	cr_expect_str_eq(bench.reason, "dns_answer_flood");
	cr_expect_eq(bench.rules, 2);
	cr_expect_eq(bench.last_match.source_port.from, 53);
	cr_expect_str_eq(bench.evidence, "5000 packets/s from strangers fit it, limit 2000; 50 of "
					 "the window's samples");
	bench_close(&bench);
}

/* What the manifest cannot say, because it concerns two options, or all. */
Test(detectors, options_that_contradict)
{
	static const struct {
		const char *plugin, *options, *said;
	} rows[] = {
		{ "threshold", "source_pps: 0\n", "source_pps: all limits are 0" },
		{ "entropy", "{ high_entropy: 0.6, low_entropy: 0.7 }\n",
		  "low_entropy: 0.7 is not below high_entropy, 0.6" },
		{ "signature", "builtin: false\n", "builtin: there is no signature left" },
		{ "signature", "without: [gre_flood, nonsense]\n",
		  "without: there is no signature 'nonsense'" },
		{ "signature", "signatures: /nonexistent.yaml\n",
		  "signatures: cannot read '/nonexistent.yaml'" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_node *options = NULL;
		struct sluice_instance *instance = NULL;
		struct plugin *plugin = NULL;
		struct config_errors errors;
		struct sluice_err err;
		struct plugin_use use = { .key = "options", .clock = &clock_system };

		config_errors_init(&errors);
		cr_assert_eq(config_node_parse("t", rows[i].options, strlen(rows[i].options),
					       &errors, &options),
			     0);
		use.options = options;
		cr_assert_eq(plugin_open(PLUGINS, rows[i].plugin, SLUICE_PLUGIN_DETECTOR, NULL,
					 &plugin, &err),
			     0, "%s", err.text);
		cr_expect_lt(plugin_detector_new(plugin, &use, &errors, &instance, &err), 0);
		cr_expect(strstr(err.text, rows[i].said), "%s", err.text);
		plugin_close(plugin);
		config_node_free(options);
	}
}

/* What was learned survives a reload; a set of another size does not. */
Test(detectors, reload)
{
	static const char *const texts[] = { "flood_pps: 50k\n", "max_learned: 64k\n" };
	static const int expected[] = { 1, 0 };
	struct config_node *taken = NULL;
	struct bench bench;

	bench_open(&bench, "entropy", NULL);
	for (size_t i = 0; i < 2; i++) {
		struct plugin_use use = { .key = "options", .clock = &clock_system };
		struct config_node *options = NULL;
		struct config_errors errors;
		struct sluice_err err;

		config_errors_init(&errors);
		cr_assert_eq(config_node_parse("t", texts[i], strlen(texts[i]), &errors, &options),
			     0);
		use.options = options;
		cr_expect_eq(plugin_detector_reconfigure(bench.instance, &use, NULL, NULL, &err),
			     expected[i], "%s", err.text);
		if (expected[i] == 1)
			taken = options; /* Must live as long as the instance. */
		else
			config_node_free(options);
	}
	bench_close(&bench);
	config_node_free(taken);
}
