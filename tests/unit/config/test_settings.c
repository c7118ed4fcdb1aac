/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a file to struct settings: every default, and every key.
 */
#include <errno.h>
#include <stdio.h>

#include "base/address.h"

#include "support.h"

#define S 1000000000ull

Test(settings, defaults)
{
	struct settings *s = settings_of("version: 1\ninterfaces: [eth0]\n");

	cr_assert_eq(s->n_interfaces, 1);
	cr_assert_str_eq(s->interfaces[0].name, "eth0");
	cr_assert_eq(s->interfaces[0].mode, SETTINGS_MODE_NATIVE);
	cr_assert_eq(s->interfaces[0].line, 2);
	cr_assert_eq(s->window_ns, S);
	cr_assert(s->enforce);
	cr_assert_eq(s->n_allow, 3);
	cr_assert_eq(s->allow[0].kind, SETTINGS_ALLOW_OWN);
	cr_assert_eq(s->allow[1].kind, SETTINGS_ALLOW_GATEWAY);
	cr_assert_eq(s->allow[2].kind, SETTINGS_ALLOW_RESOLVER);
	cr_assert_eq(s->n_detectors, 2);
	cr_assert_str_eq(s->detectors[0].name, "threshold");
	cr_assert(s->detectors[0].enforce);
	cr_assert_null(s->detectors[0].options);
	cr_assert_str_eq(s->detectors[1].name, "entropy");
	cr_assert_not(s->detectors[1].enforce);
	cr_assert_not(s->pass_malformed);
	cr_assert_eq(s->max_sources, 256000);
	cr_assert_eq(s->max_sources_v6, 0);
	cr_assert(!s->dual_map);
	cr_assert_eq(s->features.flows, 128000);
	cr_assert_eq(s->features.destinations, 256);
	cr_assert_eq(s->features.samples_per_second, 1000);
	cr_assert_eq(s->on_death_expire_ns, 3600 * S);
	cr_assert_str_eq(s->pin_path, "/sys/fs/bpf/sluice");
	cr_assert(s->plugin_path && s->plugin_path[0] == '/');
	settings_free(s);
}

Test(settings, defaults_of_sections)
{
	struct settings *s = settings_of("version: 1\ninterfaces: [eth0]\n");

	cr_assert_eq(s->policy.max_blocked, 1000000);
	cr_assert_eq(s->policy.max_new_per_window, 50000);
	cr_assert_float_eq(s->policy.min_pass, 0.2, 1e-9);
	cr_assert_not(s->policy.min_pass_withdraw);
	cr_assert_eq(s->policy.ttl_ns, 600 * S);
	cr_assert_float_eq(s->policy.backoff, 2.0, 1e-9);
	cr_assert_eq(s->policy.v6_prefix_len, 64);
	cr_assert(s->policy.protect_known);
	cr_assert(s->rate_monitor.quiet_learned);
	cr_assert_eq(s->rate_monitor.windows, 5);
	cr_assert_not(s->offload.enabled);
	cr_assert_str_eq(s->control.socket, "/run/sluice/control.sock");
	cr_assert_null(s->control.group);
	cr_assert(s->control.metrics);
	cr_assert_str_eq(s->control.metrics_address, "127.0.0.1");
	cr_assert_eq(s->control.metrics_port, 9815);
	settings_free(s);
}

Test(settings, offload_defaults)
{
	struct settings *s =
		settings_of("version: 1\ninterfaces: [eth0]\noffload:\n  backend: emu\n");

	cr_assert(s->offload.enabled);
	cr_assert_str_eq(s->offload.backend.name, "emu");
	cr_assert_null(s->offload.backend.options);
	cr_assert_eq(s->offload.backend.line, 4);
	cr_assert_null(s->offload.interface);
	cr_assert_eq(s->offload.capacity, 0);
	cr_assert_eq(s->offload.updates_per_second, 0);
	cr_assert_eq(s->offload.max_rate_pps, 0);
	cr_assert_float_eq(s->offload.threshold_min, 1.02, 1e-9);
	cr_assert_float_eq(s->offload.threshold_max, 1.1, 1e-9);
	cr_assert_float_eq(s->offload.churn, 0.055, 1e-9);
	cr_assert_eq(s->offload.residency_windows, 2);
	cr_assert(s->offload.flush_on_exit);
	settings_free(s);
}

static struct settings *load_valid(const char *name)
{
	struct config_errors errors;
	struct settings *settings;
	char path[512];

	snprintf(path, sizeof(path), "%s/valid/%s", CORPUS_PATH, name);
	config_errors_init(&errors);
	cr_assert_eq(settings_load(path, &errors, &settings), 0, "%s", first_error(&errors));
	return settings;
}

Test(settings, every_key)
{
	struct settings *s = load_valid("every-key.yaml");

	cr_assert_eq(s->n_interfaces, 2);
	cr_assert_str_eq(s->interfaces[1].name, "eth1");
	cr_assert(s->shared);
	cr_assert_eq(s->priority, 7);
	cr_assert_eq(s->window_ns, S / 10);
	cr_assert_not(s->enforce);
	cr_assert_eq(s->n_allow, 0);
	cr_assert_eq(s->n_detectors, 2);
	cr_assert_float_eq(s->detectors[0].weight, 1, 1e-9);
	cr_assert_float_eq(s->detectors[1].weight, 0.5, 1e-9);
	cr_assert(s->pass_malformed);
	cr_assert_eq(s->max_sources, 65536);
	cr_assert_eq(s->max_sources_v6, 10000);
	cr_assert(s->dual_map);
	cr_assert_eq(s->features.flows, 2000);
	cr_assert_eq(s->features.destinations, 100);
	cr_assert_eq(s->features.samples_per_second, 50);
	cr_assert_eq(s->on_death_expire_ns, 0);
	cr_assert_str_eq(s->pin_path, "/sys/fs/bpf/other");
	cr_assert_str_eq(s->plugin_path, "/opt/sluice/plugins");
	cr_assert_eq(s->policy.max_blocked, 10);
	cr_assert_eq(s->policy.max_new_per_window, 1000);
	cr_assert_float_eq(s->policy.min_pass, 0, 1e-9);
	cr_assert(s->policy.min_pass_withdraw);
	cr_assert_eq(s->policy.ttl_ns, 30 * 86400 * S);
	cr_assert_float_eq(s->policy.backoff, 1, 1e-9);
	cr_assert_eq(s->policy.v6_prefix_len, 48);
	cr_assert_not(s->policy.protect_known);
	cr_assert_eq(s->policy.combine, SETTINGS_COMBINE_WEIGHTED);
	cr_assert_float_eq(s->policy.votes, 1.5, 1e-9);
	cr_assert_eq(s->policy.max_rules_auto, 0);
	cr_assert_eq(s->policy.max_new_rules_per_window, 256);
	cr_assert_eq(s->policy.rule_quiet_ns, S / 10);
	cr_assert_eq(s->policy.spoofed, SETTINGS_SPOOFED_BOTH);
	cr_assert_not(s->rate_monitor.quiet_learned);
	cr_assert_eq(s->rate_monitor.quiet_pps, 1500);
	cr_assert_eq(s->rate_monitor.windows, 10000);
	cr_assert_str_eq(s->control.socket, "/tmp/s");
	cr_assert_str_eq(s->control.group, "adm");
	cr_assert_not(s->control.metrics);
	settings_free(s);
}

Test(settings, every_offload_key)
{
	struct settings *s = load_valid("every-key.yaml");
	const struct settings_offload *o = &s->offload;

	cr_assert_eq(config_node_count(o->backend.options), 2);
	cr_assert_str_eq(config_node_text(config_node_get(o->backend.options, "card")),
			 "/sys/fs/bpf/card0");
	cr_assert_str_eq(o->interface, "eth1");
	cr_assert_eq(o->capacity, 1024);
	cr_assert_eq(o->updates_per_second, 500);
	cr_assert_eq(o->max_rate_pps, 2000000);
	cr_assert_float_eq(o->threshold_min, 1, 1e-9);
	cr_assert_float_eq(o->threshold_max, 1, 1e-9);
	cr_assert_float_eq(o->churn, 0.2, 1e-9);
	cr_assert_eq(o->residency_windows, 0);
	cr_assert_not(o->flush_on_exit);
	settings_free(s);
}

Test(settings, allow_list)
{
	struct settings *s = load_valid("design.yaml");
	struct sluice_key want;

	cr_assert_eq(s->n_allow, 6);
	cr_assert_eq(s->allow[3].kind, SETTINGS_ALLOW_PREFIX);
	cr_assert_eq(address_parse_prefix("192.0.2.0/24", 0, &want, NULL), 0);
	cr_assert(address_equal(&s->allow[3].prefix, &want));
	cr_assert_not(s->allow[3].exempt);
	cr_assert_eq(address_parse_prefix("2001:db8::/32", 0, &want, NULL), 0);
	cr_assert(address_equal(&s->allow[4].prefix, &want));
	cr_assert_eq(address_parse_prefix("198.51.100.7", 0, &want, NULL), 0);
	cr_assert(address_equal(&s->allow[5].prefix, &want));
	cr_assert(s->allow[5].exempt);
	cr_assert_eq(config_node_count(s->detectors[0].options), 2);
	cr_assert_eq(s->detectors[0].line, 10);
	cr_assert_eq(s->detectors[0].column, 5);
	settings_free(s);
}

static void check_range(struct sluice_rule_range range, unsigned int from, unsigned int to)
{
	cr_assert_eq(range.from, from);
	cr_assert_eq(range.to, to);
}

Test(settings, rule_of_every_field)
{
	static const unsigned char payload[] = { 0x17, 0x00, 0xab }, mask[] = { 0xff, 0, 0xff };
	struct settings *s = load_valid("rules.yaml");
	const struct settings_rule *rule = &s->rules[0];
	struct sluice_key want;

	cr_assert_eq(s->n_rules, 5);
	cr_assert_str_eq(rule->name, "everything");
	cr_assert_eq(rule->line, 4);
	cr_assert_eq(rule->column, 5);
	cr_assert_eq(rule->match.fields, 0xff & ~SLUICE_RULE_TCP_FLAGS);
	cr_assert_eq(rule->match.family, SLUICE_FAMILY_IPV4);
	cr_assert_eq(rule->match.protocol, 17);
	check_range(rule->match.source_port, 53, 53);
	check_range(rule->match.destination_port, 1024, 65535);
	check_range(rule->match.length, 1000, 1500);
	check_range(rule->match.ttl, 0, 5);
	cr_assert_eq(rule->match.fragment, SLUICE_RULE_FRAGMENT_NONE);
	cr_assert_eq(address_parse_prefix("192.0.2.0/24", 0, &want, NULL), 0);
	cr_assert(address_equal(&rule->match.destination, &want));
	cr_assert_eq(rule->match.payload_offset, 2);
	cr_assert_eq(rule->match.payload_size, 3);
	cr_assert_arr_eq(rule->match.payload, payload, 3);
	cr_assert_arr_eq(rule->match.payload_mask, mask, 3);
	cr_assert_eq(rule->action, SETTINGS_RULE_DROP);
	settings_free(s);
}

Test(settings, rule_actions)
{
	struct settings *s = load_valid("rules.yaml");

	cr_assert_eq(s->rules[1].match.fields, SLUICE_RULE_PROTOCOL);
	cr_assert_eq(s->rules[1].match.protocol, 47);
	cr_assert_eq(s->rules[1].action, SETTINGS_RULE_PASS);
	cr_assert_eq(s->rules[2].match.tcp_value, 0x02);
	cr_assert_eq(s->rules[2].match.tcp_mask, 0x12);
	cr_assert_eq(s->rules[2].action, SETTINGS_RULE_LIMIT);
	cr_assert_not(s->rules[2].is_by_byte);
	cr_assert_eq(s->rules[2].rate, 1000);
	cr_assert_eq(s->rules[2].burst, 100);
	cr_assert_eq(s->rules[3].match.fragment, SLUICE_RULE_FRAGMENT_ANY);
	cr_assert_eq(s->rules[3].action, SETTINGS_RULE_LIMIT_SOURCE);
	cr_assert(s->rules[3].is_by_byte);
	cr_assert_eq(s->rules[3].rate, 10000000);
	cr_assert_eq(s->rules[3].burst, 1000000);
	cr_assert_eq(s->rules[4].match.fields, 0);
	cr_assert_eq(s->rules[4].match.family, 0);
	cr_assert_eq(s->rules[4].burst, 7);
	settings_free(s);
}

Test(settings, interfaces)
{
	struct settings *s = load_valid("mapping-interface.yaml");

	cr_assert_eq(s->n_interfaces, 3);
	cr_assert_eq(s->interfaces[0].mode, SETTINGS_MODE_GENERIC);
	cr_assert_eq(s->interfaces[1].mode, SETTINGS_MODE_HARDWARE);
	cr_assert_eq(s->interfaces[2].mode, SETTINGS_MODE_NATIVE);
	cr_assert_str_eq(s->interfaces[2].name, "eth2.100");
	cr_assert_eq(s->interfaces[2].line, 6);
	settings_free(s);
}

static const char *option(const struct settings *s, size_t interface, const char *key)
{
	const struct config_node *node =
		config_node_get(s->stack.interfaces[interface].options, key);

	return node ? config_node_text(node) : "";
}

/* Its own options count before those of all. */
Test(settings, stack_interfaces)
{
	struct settings *s = load_valid("stack-two.yaml");

	cr_assert_eq(s->stack.n_interfaces, 2);
	cr_assert_str_eq(s->stack.interfaces[0].name, "eth1");
	cr_assert_str_eq(option(s, 0, "address"), "192.0.2.1");
	cr_assert_str_eq(option(s, 0, "prefix"), "24");
	cr_assert_str_eq(option(s, 0, "root"), "/srv/www");
	cr_assert_str_eq(s->stack.interfaces[1].name, "eth0");
	cr_assert_str_eq(option(s, 1, "address"), "");
	cr_assert_str_eq(option(s, 1, "prefix"), "25");
	settings_free(s);
}

Test(settings, the_only_interface_is_the_stacks)
{
	struct settings *s = load_valid("deliver.yaml");

	cr_assert_eq(s->stack.n_interfaces, 1);
	cr_assert_str_eq(s->stack.interfaces[0].name, "eth0");
	cr_assert_str_eq(option(s, 0, "address"), "192.0.2.1");
	settings_free(s);
}

Test(settings, metrics_over_ipv6)
{
	struct settings *s = load_valid("json.yaml");

	cr_assert_str_eq(s->control.metrics_address, "::1");
	cr_assert_eq(s->control.metrics_port, 80);
	settings_free(s);
}

Test(settings, a_failure_gives_nothing)
{
	static const char yaml[] = "version: 1\ninterfaces: [eth0, eth0]\n";
	struct settings *s = NULL;

	cr_assert_eq(settings_parse("f", yaml, strlen(yaml), NULL, &s), -EINVAL);
	cr_assert_null(s);
	settings_free(NULL);
}
