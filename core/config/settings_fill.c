/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies checked values into struct settings.  All defaults but one come from the schema: where
 * plugins are depends on where Sluice was built or installed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node.h"
#include "settings_owned.h"
#include "value.h"

static bool flag_get(const struct config_value *map, const char *key)
{
	return config_value_bool(config_value_get(map, key));
}

static uint64_t number_get(const struct config_value *map, const char *key)
{
	return config_value_u64(config_value_get(map, key));
}

/* The schema keeps all numbers that come here within 32 bits. */
static uint32_t small_get(const struct config_value *map, const char *key)
{
	return (uint32_t)number_get(map, key);
}

static double real_get(const struct config_value *map, const char *key)
{
	return config_value_double(config_value_get(map, key));
}

/* NULL if the key is neither given nor has a default. */
static const char *string_get(const struct config_value *map, const char *key)
{
	const struct config_value *value = config_value_get(map, key);

	return value ? config_value_string(value) : NULL;
}

/* A number, or a word (auto, learned) that stands for 0. */
static uint64_t number_or_word_get(const struct config_value *map, const char *key)
{
	const struct config_value *value = config_value_get(map, key);

	return config_value_type(value) == CONFIG_VALUE_U64 ? config_value_u64(value) : 0;
}

/* Where the file says so; 0 for a default. */
static void place_get(const struct config_value *value, unsigned int *line, unsigned int *column)
{
	const struct config_node *node = value ? config_value_node(value) : NULL;

	*line = node ? config_node_line(node) : 0;
	*column = node ? config_node_column(node) : 0;
}

static enum settings_mode mode_get(const char *name)
{
	if (!strcmp(name, "generic"))
		return SETTINGS_MODE_GENERIC;
	return strcmp(name, "hardware") ? SETTINGS_MODE_NATIVE : SETTINGS_MODE_HARDWARE;
}

static int interfaces_fill(struct settings_owned *owned, struct settings *s)
{
	const struct config_value *list = config_value_get(owned->value, "interfaces");
	const struct config_value *item = config_value_first(list);

	s->interfaces =
		arena_calloc(&owned->arena, config_value_count(list), sizeof(*s->interfaces));
	if (!s->interfaces)
		return -ENOMEM;
	for (; item; item = config_value_next(item)) {
		struct settings_interface *interface = &s->interfaces[s->n_interfaces++];

		snprintf(interface->name, sizeof(interface->name), "%s", string_get(item, "name"));
		interface->mode = mode_get(string_get(item, "mode"));
		place_get(item, &interface->line, &interface->column);
	}
	return 0;
}

static void allow_fill_word(struct settings_allow *allow, const char *word)
{
	if (!strcmp(word, "own"))
		allow->kind = SETTINGS_ALLOW_OWN;
	else if (!strcmp(word, "gateway"))
		allow->kind = SETTINGS_ALLOW_GATEWAY;
	else
		allow->kind = SETTINGS_ALLOW_RESOLVER;
}

static int allow_fill(struct settings_owned *owned, struct settings *s)
{
	const struct config_value *list = config_value_get(owned->value, "allow");
	const struct config_value *item = config_value_first(list);

	s->allow = arena_calloc(&owned->arena, config_value_count(list), sizeof(*s->allow));
	if (!s->allow)
		return -ENOMEM;
	for (; item; item = config_value_next(item)) {
		struct settings_allow *allow = &s->allow[s->n_allow++];
		const struct config_value *prefix = item;

		place_get(item, &allow->line, &allow->column);
		if (config_value_type(item) == CONFIG_VALUE_STRING) {
			allow_fill_word(allow, config_value_string(item));
			continue;
		}
		if (config_value_type(item) == CONFIG_VALUE_MAP) {
			prefix = config_value_get(item, "prefix");
			allow->exempt = config_value_get(item, "exempt") != NULL;
		}
		allow->kind = SETTINGS_ALLOW_PREFIX;
		allow->prefix = *config_value_address(prefix);
	}
	return 0;
}

/* `map` is an item of `detectors`, or `offload`. */
static void plugin_fill(struct settings_plugin *plugin, const struct config_value *map,
			const char *name_key)
{
	const struct config_value *options = config_value_get(map, "options");

	plugin->name = string_get(map, name_key);
	plugin->options = options ? config_value_node(options) : NULL;
	place_get(map, &plugin->line, &plugin->column);
}

static int detectors_fill(struct settings_owned *owned, struct settings *s)
{
	const struct config_value *list = config_value_get(owned->value, "detectors");
	const struct config_value *item = config_value_first(list);

	s->detectors = arena_calloc(&owned->arena, config_value_count(list), sizeof(*s->detectors));
	if (!s->detectors)
		return -ENOMEM;
	for (; item; item = config_value_next(item)) {
		struct settings_plugin *plugin = &s->detectors[s->n_detectors++];

		plugin_fill(plugin, item, "plugin");
		plugin->enforce = flag_get(item, "enforce");
		plugin->weight = real_get(item, "weight");
		if (config_value_get(item, "budget"))
			plugin->budget_ns = number_get(item, "budget");
	}
	return 0;
}

static void features_fill(struct settings_features *features, const struct config_value *map)
{
	features->flows = small_get(map, "flows");
	features->destinations = small_get(map, "destinations");
	features->samples_per_second = small_get(map, "samples_per_second");
}

static enum settings_combine combine_get(const char *name)
{
	if (!strcmp(name, "all"))
		return SETTINGS_COMBINE_ALL;
	return strcmp(name, "weighted") ? SETTINGS_COMBINE_ANY : SETTINGS_COMBINE_WEIGHTED;
}

static enum settings_spoofed spoofed_get(const char *name)
{
	if (!strcmp(name, "sources"))
		return SETTINGS_SPOOFED_SOURCES;
	return strcmp(name, "both") ? SETTINGS_SPOOFED_RULES : SETTINGS_SPOOFED_BOTH;
}

static void policy_fill(struct settings_policy *policy, const struct config_value *map)
{
	policy->max_blocked = small_get(map, "max_blocked");
	policy->max_new_per_window = small_get(map, "max_new_per_window");
	policy->min_pass = real_get(map, "min_pass");
	policy->min_pass_withdraw = !strcmp(string_get(map, "min_pass_action"), "withdraw");
	policy->ttl_ns = number_get(map, "ttl");
	policy->backoff = real_get(map, "backoff");
	policy->v6_prefix_len = (uint8_t)number_get(map, "v6_prefix");
	policy->combine = combine_get(string_get(map, "combine"));
	policy->votes = real_get(map, "votes");
	policy->max_rules_auto = small_get(map, "max_rules_auto");
	policy->max_new_rules_per_window = small_get(map, "max_new_rules_per_window");
	policy->rule_quiet_ns = number_get(map, "rule_quiet");
	policy->spoofed = spoofed_get(string_get(map, "spoofed"));
	policy->protect_known = flag_get(map, "protect_known");
}

static void known_fill(struct settings_known *known, const struct config_value *map)
{
	const char *egress = string_get(map, "egress");

	known->egress = !strcmp(egress, "auto")	    ? SETTINGS_EGRESS_AUTO
			: !strcmp(egress, "tcx")    ? SETTINGS_EGRESS_TCX
			: !strcmp(egress, "clsact") ? SETTINGS_EGRESS_CLSACT
						    : SETTINGS_EGRESS_OFF;
	known->max = small_get(map, "max");
	known->keep_ns = number_get(map, "keep");
}

static const char *const placements[] = {
	[SETTINGS_PLACEMENT_HOST] = "host",
	[SETTINGS_PLACEMENT_HYBRID] = "hybrid",
	[SETTINGS_PLACEMENT_SMARTNIC] = "smartnic",
};

const char *settings_placement_name(enum settings_placement placement)
{
	return placements[placement];
}

static enum settings_placement placement_get(const struct config_value *map)
{
	const struct config_value *value = config_value_get(map, "placement");
	enum settings_placement placement = SETTINGS_PLACEMENT_HOST;

	if (!value)
		return config_value_get(map, "offload") ? SETTINGS_PLACEMENT_HYBRID
							: SETTINGS_PLACEMENT_HOST;
	while (strcmp(placements[placement], config_value_string(value)) != 0)
		placement++;
	return placement;
}

static void offload_fill(struct settings_offload *offload, const struct config_value *map)
{
	const struct config_value *threshold = config_value_get(map, "threshold");

	if (!map)
		return;
	offload->enabled = true;
	plugin_fill(&offload->backend, map, "backend");
	offload->backend.enforce = true;
	offload->interface = string_get(map, "interface");
	offload->capacity = (uint32_t)number_or_word_get(map, "capacity");
	offload->updates_per_second = (uint32_t)number_or_word_get(map, "updates_per_second");
	offload->max_rate_pps = number_or_word_get(map, "max_rate");
	offload->threshold_min = real_get(threshold, "min");
	offload->threshold_max = real_get(threshold, "max");
	offload->churn = real_get(map, "churn");
	offload->residency_windows = small_get(map, "residency");
	offload->flush_on_exit = flag_get(map, "flush_on_exit");
}

static void stack_fill(struct settings_stack *stack, const struct config_value *map)
{
	const char *poll;

	if (!map)
		return;
	stack->enabled = true;
	plugin_fill(&stack->plugin, map, "plugin");
	stack->plugin.enforce = true;
	stack->socket = string_get(map, "socket");
	stack->group = string_get(map, "group");
	place_get(config_value_get(map, "group"), &stack->group_line, &stack->group_column);
	stack->frames = small_get(map, "frames");
	stack->copy = !strcmp(string_get(map, "zero_copy"), "off");
	stack->software_sums = !strcmp(string_get(map, "checksums"), "software");
	poll = string_get(map, "poll");
	if (!strcmp(poll, "busy"))
		stack->poll = SETTINGS_POLL_BUSY;
	else if (!strcmp(poll, "spin"))
		stack->poll = SETTINGS_POLL_SPIN;
}

static void attach_fill(struct settings *s, const struct config_value *attach)
{
	bool is_map = config_value_type(attach) == CONFIG_VALUE_MAP;

	s->shared = is_map || !strcmp(config_value_string(attach), "dispatcher");
	s->priority = is_map ? small_get(attach, "priority") : SETTINGS_DEFAULT_PRIORITY;
}

static void control_fill(struct settings_control *control, const struct config_value *map)
{
	const struct config_value *metrics = config_value_get(map, "metrics");
	const char *text, *colon;
	size_t len;

	control->socket = string_get(map, "socket");
	control->group = string_get(map, "group");
	place_get(config_value_get(map, "group"), &control->group_line, &control->group_column);
	control->metrics = config_value_type(metrics) == CONFIG_VALUE_STRING;
	if (!control->metrics)
		return;
	/* The format is "ADDR:PORT" or "[ADDR]:PORT", and it was checked. */
	text = config_value_string(metrics);
	colon = strrchr(text, ':');
	control->metrics_port = (uint16_t)strtoul(colon + 1, NULL, 10);
	len = (size_t)(colon - text);
	if (text[0] == '[') {
		text++;
		len -= 2;
	}
	snprintf(control->metrics_address, sizeof(control->metrics_address), "%.*s", (int)len,
		 text);
}

/* PROGRAM/../lib/sluice/plugins, as a build tree and an installation under one prefix have it. */
void settings_plugin_path(char *path, size_t size)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[len > 0 ? len : 0] = '\0';
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(program, '/');

		if (slash)
			*slash = '\0';
	}
	snprintf(path, size, "%s/lib/sluice/plugins", program);
	if (len <= 0 || access(path, F_OK) != 0)
		snprintf(path, size, "%s", SLUICE_PLUGIN_PATH);
}

static const char *default_plugin_path(struct arena *arena)
{
	char path[PATH_MAX];

	settings_plugin_path(path, sizeof(path));
	return arena_strndup(arena, path, strlen(path));
}

int settings_fill(struct settings_owned *owned)
{
	const struct config_value *map = owned->value, *monitor, *on_death;
	struct settings *s = &owned->settings;

	if (interfaces_fill(owned, s) || allow_fill(owned, s) || detectors_fill(owned, s))
		return -ENOMEM;
	attach_fill(s, config_value_get(map, "attach"));
	s->window_ns = number_get(map, "window");
	s->enforce = flag_get(map, "enforce");
	s->pass_malformed = !strcmp(string_get(map, "malformed"), "pass");
	s->max_sources = small_get(map, "max_sources");
	s->max_sources_v6 = small_get(map, "max_sources_v6");
	s->dual_map = !strcmp(string_get(map, "swap"), "dual_map");
	features_fill(&s->features, config_value_get(map, "features"));
	on_death = config_value_get(map, "on_death");
	if (config_value_type(on_death) == CONFIG_VALUE_MAP)
		s->on_death_expire_ns = number_get(on_death, "expire");
	s->pin_path = string_get(map, "pin_path");
	s->plugin_path = string_get(map, "plugin_path");
	place_get(config_value_get(map, "plugin_path"), &s->plugin_path_line,
		  &s->plugin_path_column);
	if (!s->plugin_path)
		s->plugin_path = default_plugin_path(&owned->arena);
	policy_fill(&s->policy, config_value_get(map, "policy"));
	known_fill(&s->known, config_value_get(map, "known_clients"));
	monitor = config_value_get(map, "rate_monitor");
	s->rate_monitor.quiet_pps = number_or_word_get(monitor, "quiet");
	s->rate_monitor.quiet_learned = !s->rate_monitor.quiet_pps;
	s->rate_monitor.windows = small_get(monitor, "windows");
	s->placement = placement_get(map);
	offload_fill(&s->offload, config_value_get(map, "offload"));
	stack_fill(&s->stack, config_value_get(map, "stack"));
	control_fill(&s->control, config_value_get(map, "control"));
	return 0;
}
