/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A good plugin in use: options, host services, proposals, reconfiguration.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/errors.h"
#include "config/node.h"
#include "folder.h"
#include "plugin/plugin.h"

static uint64_t fixed_ns(void *ctx)
{
	return *(const uint64_t *)ctx;
}

struct bench {
	struct folder folder;
	struct plugin *plugin;
	struct config_node *options;
	uint64_t now_ns;
	struct clock_source clock;
	struct plugin_use use;
	size_t proposals;
	struct sluice_proposal last;
	size_t rules;
	struct sluice_rule_proposal last_rule;
	struct sluice_rule_match last_match;
	int answer;
};

static int take(void *ctx, struct sluice_instance *instance, const struct sluice_proposal *proposal)
{
	struct bench *bench = ctx;

	cr_assert_eq(plugin_instance_plugin(instance), bench->plugin);
	bench->proposals++;
	bench->last = *proposal;
	return bench->answer;
}

static int take_rule(void *ctx, struct sluice_instance *instance,
		     const struct sluice_rule_proposal *proposal)
{
	struct bench *bench = ctx;

	cr_assert_eq(plugin_instance_plugin(instance), bench->plugin);
	bench->rules++;
	bench->last_rule = *proposal;
	bench->last_match = *proposal->match;
	return bench->answer;
}

static void bench_init(struct bench *bench)
{
	struct sluice_err err;

	memset(bench, 0, sizeof(*bench));
	folder_make(&bench->folder, "good", folder_good_manifest);
	cr_assert_eq(plugin_open(bench->folder.path, "fixture", SLUICE_PLUGIN_DETECTOR, NULL,
				 &bench->plugin, &err),
		     0, "%s", err.text);
	bench->now_ns = 42;
	bench->clock = (struct clock_source){
		.monotonic_ns = fixed_ns,
		.boottime_ns = fixed_ns,
		.realtime_ns = fixed_ns,
		.ctx = &bench->now_ns,
	};
	bench->use = (struct plugin_use){
		.key = "detectors[0].options",
		.clock = &bench->clock,
		.propose = take,
		.propose_rule = take_rule,
		.propose_ctx = bench,
	};
}

static void bench_fini(struct bench *bench)
{
	plugin_close(bench->plugin);
	config_node_free(bench->options);
	folder_remove(&bench->folder);
}

static void set_options(struct bench *bench, const char *text)
{
	struct config_errors errors;

	config_errors_init(&errors);
	config_node_free(bench->options);
	bench->options = NULL;
	cr_assert_eq(config_node_parse("test.yaml", text, strlen(text), &errors, &bench->options),
		     0);
	bench->use.options = bench->options;
}

static int observe(struct sluice_instance *instance, const struct sluice_key *key, double *score)
{
	const struct sluice_detector_ops *ops =
		plugin_detector_ops(plugin_instance_plugin(instance));
	struct sluice_source source = { .key = *key, .packets = 1 };
	struct sluice_window window = {
		.size = sizeof(window),
		.length_ns = 1000000000,
		.sources = &source,
		.n_sources = 1,
		.source_size = sizeof(source),
		.blocked_size = sizeof(struct sluice_blocked_source),
	};
	struct sluice_verdict verdict = { .size = sizeof(verdict) };
	int rc = ops->observe(plugin_instance_self(instance), &window, &verdict);

	*score = verdict.score;
	return rc;
}

static const struct sluice_key good_key = {
	.family = SLUICE_FAMILY_IPV4,
	.prefix_len = 32,
	.addr = { 192, 0, 2, 1 },
};

Test(instances, defaults_and_services)
{
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;
	double score;

	bench_init(&bench);
	cr_assert_str_eq(plugin_name(bench.plugin), "fixture");
	cr_assert_str_eq(plugin_version(bench.plugin), "1.2.3");
	cr_assert_null(plugin_backend_ops(bench.plugin));
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), 0, "%s",
		     err.text);
	cr_assert_eq(observe(instance, &good_key, &score), 0);
	cr_expect_eq(score, 42.0, "the plugin's clock is not the one we gave");
	cr_expect_eq(bench.proposals, 1);
	cr_expect_eq(bench.last.packets_per_second, 2000);
	cr_expect_str_eq(bench.last.reason, "fixture");
	cr_expect_null(bench.last.evidence);
	bench.answer = -ENOSPC;
	cr_expect_eq(observe(instance, &good_key, &score), -ENOSPC);
	plugin_instance_free(instance);
	bench_fini(&bench);
}

static int observe_rule(struct sluice_instance *instance, uint64_t way)
{
	const struct sluice_detector_ops *ops =
		plugin_detector_ops(plugin_instance_plugin(instance));
	struct sluice_window window = {
		.size = sizeof(window),
		.sequence = way,
		.length_ns = 1000000000,
	};
	struct sluice_verdict verdict = { .size = sizeof(verdict) };

	return ops->observe(plugin_instance_self(instance), &window, &verdict);
}

Test(instances, rules_reach_the_host_in_its_own_layout)
{
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;

	bench_init(&bench);
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), 0, "%s",
		     err.text);
	cr_assert_eq(observe_rule(instance, 1), 0);
	cr_assert_eq(bench.rules, 1);
	cr_expect_eq(bench.last_rule.size, sizeof(bench.last_rule));
	cr_expect_eq(bench.last_rule.packets_per_second, 2000);
	cr_expect_eq(bench.last_rule.include_known, false, "known clients are hit by default");
	cr_expect_str_eq(bench.last_rule.reason, "fixture");
	cr_expect_eq(bench.last_match.size, sizeof(bench.last_match));
	cr_expect_eq(bench.last_match.source_port.to, 124);
	bench.answer = -ENOSPC;
	cr_expect_eq(observe_rule(instance, 1), -ENOSPC);
	plugin_instance_free(instance);
	bench_fini(&bench);
}

Test(instances, malformed_rules_stop_at_the_host)
{
	static const char *const ways[] = {
		[2] = "a proposal that ends early", [3] = "no match",
		[4] = "a match that ends early",    [5] = "no reason",
		[6] = "a reason that is none",	    [7] = "no proposal",
	};
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;

	bench_init(&bench);
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), 0, "%s",
		     err.text);
	for (uint64_t way = 2; way <= 7; way++)
		cr_expect_eq(observe_rule(instance, way), -EINVAL, "%s", ways[way]);
	cr_expect_eq(bench.rules, 0);
	plugin_instance_free(instance);
	bench_fini(&bench);
}

Test(instances, a_host_without_rules_says_so)
{
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;

	bench_init(&bench);
	bench.use.propose_rule = NULL;
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), 0, "%s",
		     err.text);
	cr_expect_eq(observe_rule(instance, 1), -EOPNOTSUPP);
	plugin_instance_free(instance);
	bench_fini(&bench);
}

Test(instances, two_do_not_share_anything)
{
	struct sluice_instance *a = NULL, *b = NULL;
	struct sluice_err err;
	struct bench bench;
	double score;

	bench_init(&bench);
	set_options(&bench, "limit: 5k\n");
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &a, &err), 0, "%s",
		     err.text);
	bench.use.options = NULL;
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &b, &err), 0);
	cr_assert_eq(observe(a, &good_key, &score), 0);
	cr_expect_eq(bench.last.packets_per_second, 5000);
	cr_assert_eq(observe(b, &good_key, &score), 0);
	cr_expect_eq(bench.last.packets_per_second, 2000);
	plugin_instance_free(a);
	plugin_instance_free(b);
	bench_fini(&bench);
}

Test(instances, malformed_proposals_stop_at_the_host)
{
	static const struct {
		const char *what;
		struct sluice_key key;
	} rows[] = {
		{ "no family", { .prefix_len = 32, .addr = { 1 } } },
		{ "prefix too long", { .family = 4, .prefix_len = 33, .addr = { 1 } } },
		{ "bits beyond the prefix",
		  { .family = 4, .prefix_len = 20, .addr = { 1, 2, 3 } } },
		{ "bytes beyond IPv4",
		  { .family = 4, .prefix_len = 32, .addr = { 1, 2, 3, 4, 5 } } },
		{ "reserved bytes", { .family = 4, .prefix_len = 32, .reserved = { 1 } } },
		{ "bits beyond /64", { .family = 6, .prefix_len = 64, .addr = { 0x20, [8] = 1 } } },
	};
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;
	double score;

	bench_init(&bench);
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(observe(instance, &rows[i].key, &score), -EINVAL, "%s", rows[i].what);
	cr_expect_eq(bench.proposals, 0);
	plugin_instance_free(instance);
	bench_fini(&bench);
}

Test(instances, wrong_options_name_their_place)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "limits: 5\n", "test.yaml:1:" },
		{ "limit: 5M\n", "test.yaml:1:" },
		{ "limit: often\n", "test.yaml:1:" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sluice_instance *instance = NULL;
		struct config_errors errors;
		struct sluice_err err;
		struct bench bench;

		config_errors_init(&errors);
		bench_init(&bench);
		set_options(&bench, rows[i].text);
		cr_expect_eq(plugin_detector_new(bench.plugin, &bench.use, &errors, &instance,
						 &err),
			     -EINVAL);
		cr_expect(strstr(err.text, rows[i].said), "%s", err.text);
		cr_expect_eq(errors.count, 1);
		cr_expect_eq(errors.list[0].line, 1);
		cr_expect_null(instance);
		cr_expect_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, NULL),
			     -EINVAL, "without anywhere to put the reason");
		bench_fini(&bench);
	}
}

Test(instances, a_failing_create_is_told)
{
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;

	bench_init(&bench);
	set_options(&bench, "fail: true\n");
	cr_expect_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), -ENODEV);
	cr_expect(strstr(err.text,
			 "plugin 'fixture': cannot start it: fail: told to fail (-ENODEV)"),
		  "%s", err.text);
	cr_expect_null(instance);
	bench_fini(&bench);
}

Test(instances, reconfigure)
{
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;
	struct plugin_use first;
	double score;

	bench_init(&bench);
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), 0);
	first = bench.use;
	set_options(&bench, "limit: 7k\n");
	cr_expect_eq(plugin_detector_reconfigure(instance, &bench.use, NULL, NULL, &err), 1, "%s",
		     err.text);
	cr_assert_eq(observe(instance, &good_key, &score), 0);
	cr_expect_eq(bench.last.packets_per_second, 7000);
	/* 0: the plugin wants a new instance, and this one goes on as it was. */
	cr_expect_eq(plugin_detector_reconfigure(instance, &first, NULL, NULL, &err), 1);
	set_options(&bench, "limit: 0\n");
	cr_expect_eq(plugin_detector_reconfigure(instance, &bench.use, NULL, NULL, &err), 0);
	set_options(&bench, "fail: true\n");
	cr_expect_eq(plugin_detector_reconfigure(instance, &bench.use, NULL, NULL, &err), -EINVAL);
	cr_expect(strstr(err.text, "cannot take the new options: told to fail"), "%s", err.text);
	cr_assert_eq(observe(instance, &good_key, &score), 0);
	cr_expect_eq(bench.last.packets_per_second, 2000, "a refused change took effect");
	plugin_instance_free(instance);
	bench_fini(&bench);
}

/* A plugin that talks a hundred times a window is held to its budget. */
Test(instances, logs_are_limited)
{
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	struct bench bench;
	struct logger logger;
	char text[8192];
	size_t lines = 0;
	double score;
	ssize_t len;
	int fds[2];

	bench_init(&bench);
	cr_assert_eq(pipe(fds), 0);
	logger = (struct logger){ .fd = fds[1], .level = SLUICE_LOG_INFO, .clock = &bench.clock };
	bench.use.logger = &logger;
	cr_assert_eq(plugin_detector_new(bench.plugin, &bench.use, NULL, &instance, &err), 0);
	cr_assert_eq(observe(instance, &good_key, &score), 0);
	close(fds[1]);
	len = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	cr_assert_gt(len, 0);
	text[len] = '\0';
	for (ssize_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	cr_expect(lines >= 1 && lines <= 10, "%zu lines", lines);
	cr_expect(strstr(text, "detector 'fixture': line 0"), "%s", text);
	plugin_instance_free(instance);
	bench_fini(&bench);
}

/* The dynamic linker knows objects by name; two open plugins must not be taken for each other. */
Test(instances, objects_are_not_mixed_up)
{
	struct plugin *a = NULL, *b = NULL;
	struct folder good, other;
	struct sluice_err err;
	char text[2048];

	folder_make(&good, "good", folder_good_manifest);
	folder_make(&other, "other_version", folder_edit_manifest("1.2.3", "1.2.4", text));
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(plugin_open(good.path, "fixture", SLUICE_PLUGIN_DETECTOR, NULL, &a,
					 &err),
			     0, "%s", err.text);
		cr_assert_eq(plugin_open(other.path, "fixture", SLUICE_PLUGIN_DETECTOR, NULL, &b,
					 &err),
			     0, "%s", err.text);
		cr_assert_neq(plugin_detector_ops(a)->create, plugin_detector_ops(b)->create);
		plugin_close(i % 2 ? a : b);
		plugin_close(i % 2 ? b : a);
	}
	folder_remove(&good);
	folder_remove(&other);
}
