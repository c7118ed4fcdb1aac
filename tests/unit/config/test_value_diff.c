/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In what two deployment files differ: a table of pairs with what must be told of each.
 */
#include <stdio.h>

#include "config/value_diff.h"

#include "support.h"

#define HEAD "version: 1\ninterfaces: [eth0]\n"

/* "changed policy.ttl: 10m (default) -> 5m", one a line. */
static const char *describe(const struct value_diff *diff)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (const struct value_difference *d = diff->first; d; d = d->next)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s: %s%s -> %s%s\n",
					 value_change_name(d->change), d->path,
					 d->before ? d->before : "-",
					 d->before_is_default ? " (default)" : "",
					 d->after ? d->after : "-",
					 d->after_is_default ? " (default)" : "");
	return text;
}

static const struct pair {
	const char *before, *after, *wanted;
} pairs[] = {
	{ HEAD, HEAD, "" },
	/* Another notation, a default written out, a shorthand, another order of keys. */
	{ HEAD "window: 1s\n", HEAD "window: 1000ms\n", "" },
	{ HEAD, HEAD "policy: { ttl: 10m, max_blocked: 1000k }\n", "" },
	{ HEAD, "interfaces: [{ mode: native, name: eth0 }]\nversion: 1\n", "" },
	{ HEAD "allow: [192.0.2.7, own]\n", HEAD "allow: [own, 192.0.2.7/32]\n", "" },
	{ HEAD, HEAD "window: 250ms\n", "changed window: 1s (default) -> 250ms\n" },
	{ HEAD "policy: { ttl: 5m }\n", HEAD, "changed policy.ttl: 5m -> 10m (default)\n" },
	{ HEAD "rate_monitor: { quiet: learned }\n", HEAD "rate_monitor: { quiet: 2k }\n",
	  "changed rate_monitor.quiet: learned -> 2k\n" },
	{ HEAD "on_death: keep\n", HEAD "on_death: { expire: 2h }\n",
	  "changed on_death: keep -> { expire: 2h }\n" },
	{ HEAD, HEAD "allow: [own, 192.0.2.0/24, { prefix: \"2001:db8::/32\", exempt: all }]\n",
	  "added allow: - -> 192.0.2.0/24\n"
	  "removed allow: gateway (default) -> -\n"
	  "removed allow: resolver (default) -> -\n"
	  "added allow: - -> { prefix: 2001:db8::/32, exempt: all }\n" },
	{ HEAD, "version: 1\ninterfaces: [{ name: eth0, mode: generic }, eth1]\n",
	  "changed interfaces[eth0].mode: native (default) -> generic\n"
	  "added interfaces[eth1]: - -> { name: eth1 }\n" },
	{ "version: 1\ninterfaces: [eth0, eth1]\n", "version: 1\ninterfaces: [eth1, eth0]\n",
	  "reordered interfaces: eth0, eth1 -> eth1, eth0\n" },
	{ HEAD, HEAD "offload: { backend: emu, options: { table: x } }\n",
	  "added offload: - -> { backend: emu, options: { table: x } }\n" },
	{ HEAD "control: { metrics: false }\n", HEAD,
	  "changed control.metrics: false -> 127.0.0.1:9815 (default)\n" },
};

Test(value_diff, of_settings)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct settings *before = settings_of(pairs[i].before);
		struct settings *after = settings_of(pairs[i].after);
		struct value_diff diff;
		size_t lines = 0;

		value_diff_init(&diff);
		cr_assert_eq(settings_diff(before, after, &diff), 0);
		cr_expect_str_eq(describe(&diff), pairs[i].wanted, "case %zu:\n%s", i,
				 describe(&diff));
		for (const char *c = pairs[i].wanted; *c; c++)
			lines += *c == '\n';
		cr_expect_eq(diff.n, lines, "case %zu", i);
		value_diff_fini(&diff);
		settings_free(before);
		settings_free(after);
	}
}

Test(value_diff, detectors_and_rules_by_name)
{
	struct settings *before = settings_of(
		HEAD
		"detectors: [threshold, { plugin: entropy, enforce: false }]\n"
		"rules:\n"
		"  - { name: a, match: { protocol: tcp, destination_port: 23 }, action: drop }\n"
		"  - { name: b, match: { protocol: udp }, action: limit, limit: { rate: 1M } }\n");
	struct settings *after = settings_of(
		HEAD
		"detectors: [{ plugin: entropy, enforce: true }, { plugin: signature }]\n"
		"rules:\n"
		"  - { name: b, match: { protocol: udp }, action: limit, limit: { rate: 1Mbit } }\n"
		"  - { name: a, match: { protocol: tcp, destination_port: 2323 }, action: drop }\n"
		"  - { name: c, match: { ttl: 1-5 }, action: drop }\n");
	struct value_diff diff;

	value_diff_init(&diff);
	cr_assert_eq(settings_diff(before, after, &diff), 0);
	/* 1M packets and 1 Mbit are the same number and not the same rate. */
	cr_assert_str_eq(describe(&diff),
			 "removed detectors[threshold]: { plugin: threshold } -> -\n"
			 "changed detectors[entropy].enforce: false -> true\n"
			 "added detectors[signature]: - -> { plugin: signature }\n"
			 "changed rules[a].match.destination_port: 23 -> 2323\n"
			 "changed rules[b].limit.rate: 1M -> 1Mbit\n"
			 "added rules[c]: - -> { name: c, match: { ttl: 1-5 }, action: drop }\n"
			 "reordered rules: a, b -> b, a, c\n",
			 "%s", describe(&diff));
	value_diff_fini(&diff);
	settings_free(before);
	settings_free(after);
}

/* A file with 10,000 prefixes against one in which every second is another: no pairwise search. */
Test(value_diff, large_sets, .timeout = 20)
{
	static char texts[2][400000];
	struct value_diff diff;
	struct settings *before, *after;

	for (int k = 0; k < 2; k++) {
		size_t used = (size_t)sprintf(texts[k], HEAD "allow:\n");

		for (int i = 0; i < 10000; i++)
			used += (size_t)sprintf(texts[k] + used, "- 10.%d.%d.%d\n", i / 250,
						i % 250, (i & 1) && k ? 2 : 1);
	}
	before = settings_of(texts[0]);
	after = settings_of(texts[1]);
	value_diff_init(&diff);
	cr_assert_eq(settings_diff(before, after, &diff), 0);
	cr_assert_eq(diff.n, 10000);
	value_diff_fini(&diff);
	settings_free(before);
	settings_free(after);
}

static struct sluice_config *config_of(const struct manifest *manifest,
				       const struct config_node *node)
{
	struct config_errors errors;
	struct sluice_config *config;

	config_errors_init(&errors);
	cr_assert_eq(config_new(manifest, node, "options", &errors, &config), 0, "%s",
		     first_error(&errors));
	return config;
}

Test(value_diff, options_of_a_plugin)
{
	struct manifest *manifest = manifest_of(
		"kind: detector\nabi: \"1.0\"\nname: x\nversion: \"1.0.0\"\nlicense: MIT\n"
		"description: Text.\noptions:\n"
		"  limit: { type: rate, default: 20k, help: Text. }\n"
		"  on: { type: bool, default: false, help: Text. }\n"
		"  word: { type: string, help: Text. }\n");
	struct config_node *nodes[] = { node_of("limit: 20000\n"),
					node_of("{ limit: 5k, word: a }\n") };
	struct sluice_config *plain = config_of(manifest, NULL);
	struct sluice_config *same = config_of(manifest, nodes[0]);
	struct sluice_config *other = config_of(manifest, nodes[1]);
	struct value_diff diff;

	value_diff_init(&diff);
	cr_assert(config_equal(plain, same));
	cr_assert_eq(config_diff(plain, same, "o", &diff), 0);
	cr_assert_eq(diff.n, 0);
	cr_assert_not(config_equal(same, other));
	cr_assert_eq(config_diff(plain, other, "o", &diff), 0);
	cr_assert_str_eq(describe(&diff), "changed o.limit: 20k (default) -> 5k\n"
					  "added o.word: - -> a\n");
	value_diff_fini(&diff);
	config_free(plain);
	config_free(same);
	config_free(other);
	config_node_free(nodes[0]);
	config_node_free(nodes[1]);
	manifest_free(manifest);
}

/* So that a detector never takes other options of which nothing is told. */
Test(value_diff, the_order_of_an_option_list_counts)
{
	struct manifest *manifest = manifest_of(
		"kind: detector\nabi: \"1.3\"\nname: x\nversion: \"1.0.0\"\nlicense: MIT\n"
		"description: Text.\noptions:\n"
		"  words: { type: list, items: { type: string }, help: Text. }\n");
	struct config_node *nodes[] = { node_of("words: [a, b]\n"), node_of("words: [b, a]\n"),
					node_of("words: [b, c]\n") };
	struct sluice_config *configs[3];
	struct value_diff diff;

	value_diff_init(&diff);
	for (int i = 0; i < 3; i++)
		configs[i] = config_of(manifest, nodes[i]);
	cr_assert_not(config_equal(configs[0], configs[1]));
	cr_assert_eq(config_diff(configs[0], configs[1], "o", &diff), 0);
	cr_assert_eq(config_diff(configs[1], configs[2], "o", &diff), 0);
	cr_assert_str_eq(describe(&diff), "reordered o.words: [a, b] -> [b, a]\n"
					  "removed o.words: a -> -\n"
					  "added o.words: - -> c\n");
	value_diff_fini(&diff);
	for (int i = 0; i < 3; i++) {
		config_free(configs[i]);
		config_node_free(nodes[i]);
	}
	manifest_free(manifest);
}
